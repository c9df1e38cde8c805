import { setTimeout } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { verifyCheckpoint, verifyConsistency, verifyInclusion } from 'varve'
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { holdAgainst } from '../../src/history/anchor.ts'
import { verifyDirectory } from '../../src/history/verify.ts'
import { readCheckpoint, signCheckpoint } from '../../src/history/checkpoint.ts'
import { merkleRoot } from '../../src/history/merkle-tree.ts'
import { formatSignerKey, formatVerifierKey, newSignerKey } from '../../src/history/note-key.ts'
import { checkpointDirectory, proveCommit, proveConsistency } from '../../src/history/prove.ts'
import { readManifest } from '../../src/journal/manifest.ts'
import { Journal } from '../../src/journal/journal.ts'
import { commitsFolder, manifestName } from '../../src/log/names.ts'
import { filesUnder } from '../support/damage.ts'
import { seededBytes } from '../support/seeded.ts'
import {
  append,
  directory,
  edit,
  flip,
  nodes,
  Places,
  sampleJournal,
  sampleOptions,
} from './sample-journal.ts'

const key = newSignerKey('example.com/storage', seededBytes(1))
const vkey = formatVerifierKey(key)
const failsWith = (code: string, message = ''): Error =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as string }) as Error

let whole: MemoryDisk
let places: Places
let head: string

beforeAll(async () => {
  whole = (await sampleJournal()).disk
  places = await Places.of(whole)
  head = (await checkpointDirectory(whole, directory, { key })).text
})

const hashOf = (number: number): string => Buffer.from(places.commits[number - 1]!.hash).toString('hex')

/** A checkpoint as it was made when there were so many commits. */
function formerCheckpoint(size: number): string {
  const hashes = places.commits.map(({ hash }) => hash)
  return signCheckpoint({ origin: readCheckpoint(head).origin, size, root: merkleRoot(hashes, size) }, key)
}

/** The sample's directory with other commits from some number on, as whoever owns it could write them. */
async function otherHistory(commits: number): Promise<MemoryDisk> {
  const disk = whole.snapshot()
  for (const path of await filesUnder(disk, directory)) await disk.unlink(path)
  const journal = await Journal.open(directory, sampleOptions(disk, { random: seededBytes(99) }))
  for (let number = 1; number <= commits; number++) {
    await append(journal, 'docstore', nodes([`other-${number}`]))
    await journal.persist()
  }
  await journal.close()
  return disk
}

describe('a checkpoint of a directory', () => {
  test('covers every commit, under the name of its journal', async () => {
    const { id } = (await readManifest(whole, directory))!
    const root = merkleRoot(places.commits.map(({ hash }) => hash))
    expect(verifyCheckpoint(head, { vkey })).toEqual({ origin: `varve/${id}`, size: 10, root })
  })

  test('is made with a key in either form, and another name where one is given', async () => {
    const options = { key: formatSignerKey(key), origin: 'example.com/storage' }
    const { text, ...said } = await checkpointDirectory(whole, directory, options)
    expect(verifyCheckpoint(text, { vkey, origin: 'example.com/storage' }).size).toBe(10)
    expect(said).toMatchObject({ origin: 'example.com/storage', size: 10, uncovered: 0 })
    for (const origin of ['', 'two\nlines', '\ud800'])
      await expect(checkpointDirectory(whole, directory, { key, origin })).rejects.toThrow(
        failsWith('VARVE_BAD_OPTION'),
      )
  })

  test('writes nothing and takes no lock, beside a living writer too', async () => {
    const { disk, journal } = await sampleJournal({ open: true })
    await append(journal, 'docstore', nodes(['pending']))
    let before = -1
    for (; before !== disk.operations; await setTimeout(50)) before = disk.operations // Snapshots are written in the background.
    const { size, uncovered } = await checkpointDirectory(disk, directory, { key })
    expect(disk.operations).toBe(before)
    // The last commit was acknowledged, but only the writer knows: its mark comes with the next one.
    expect({ size, uncovered }).toEqual({ size: 9, uncovered: 1 })
    expect(await checkpointDirectory(disk, directory, { key, durable: 10 })).toMatchObject({
      size: 10,
      uncovered: 0,
    })
    await journal.persist()
    expect(await checkpointDirectory(disk, directory, { key })).toMatchObject({ size: 10, uncovered: 1 })
    await journal.close()
    expect(await checkpointDirectory(disk, directory, { key })).toMatchObject({ size: 11, uncovered: 0 })
  })

  test('never contradicts the one before', async () => {
    const make = (disk: MemoryDisk, previous: string) =>
      checkpointDirectory(disk, directory, { key, previous })
    expect((await make(whole, formerCheckpoint(6))).text).toBe(head)
    expect((await make(whole, head)).text).toBe(head)
    const rewritten = await otherHistory(12)
    await expect(make(rewritten, head)).rejects.toThrow(failsWith('VARVE_NOT_PROVEN', 'was rewritten'))
    await expect(make(await otherHistory(9), head)).rejects.toThrow(
      failsWith('VARVE_NOT_PROVEN', 'was cut short'),
    )
    const { text } = await checkpointDirectory(whole, directory, { key, origin: 'other' })
    await expect(make(whole, text)).rejects.toThrow(failsWith('VARVE_NOT_PROVEN', 'is about other, not'))
    await expect(make(whole, 'nonsense')).rejects.toThrow(failsWith('VARVE_BAD_PROOF'))
  })

  test('covers what the one before did', async () => {
    const { disk } = await sampleJournal({ open: true })
    const { text: previous } = await checkpointDirectory(disk, directory, { key, durable: 10 })
    expect((await checkpointDirectory(disk, directory, { key })).size).toBe(9)
    expect((await checkpointDirectory(disk, directory, { key, previous })).size).toBe(10)
  })

  test('is not made of a damaged commit log', async () => {
    const disk = whole.snapshot()
    const { segment, offset } = places.offsets[6]!
    flip(disk, places.path(commitsFolder, segment), offset + 8)
    await expect(checkpointDirectory(disk, directory, { key })).rejects.toThrow(
      failsWith('VARVE_CORRUPT', 'hashes from commit 7 on cannot be known'),
    )
  })

  test('needs the id of the journal, or a name', async () => {
    const disk = whole.snapshot()
    edit(disk, `${directory}/${manifestName}`, () => Buffer.from('{}'))
    await expect(checkpointDirectory(disk, directory, { key })).rejects.toThrow(
      failsWith('VARVE_CORRUPT', 'varve.json is damaged'),
    )
    expect((await checkpointDirectory(disk, directory, { key, origin: 'o' })).size).toBe(10)
  })

  test('is not made where nothing is durable', async () => {
    const disk = await otherHistory(0)
    await expect(checkpointDirectory(disk, directory, { key })).rejects.toThrow(failsWith('VARVE_NOT_FOUND'))
    const journal = await Journal.open(directory, sampleOptions(disk))
    await append(journal, 'docstore', nodes(['first']))
    await journal.persist()
    await expect(checkpointDirectory(disk, directory, { key })).rejects.toThrow(
      failsWith('VARVE_NOT_FOUND', 'no commit that is known to be durable'),
    )
    await journal.close()
  })
})

describe('a proof of a directory', () => {
  test('shows each commit to whoever has only checkpoint, key and hash', async () => {
    for (let commit = 1; commit <= 10; commit++) {
      const { text, hash } = await proveCommit(whole, directory, { commit, checkpoint: head })
      expect(hash).toBe(hashOf(commit))
      expect(verifyInclusion(text, { hash, vkey })).toMatchObject({ number: commit })
    }
  })

  test('is against the very checkpoint that was given, though the history went on', async () => {
    const checkpoint = formerCheckpoint(6)
    const { text } = await proveCommit(whole, directory, { commit: 2, checkpoint })
    expect(text.endsWith(`\n\n${checkpoint}`)).toBe(true)
    expect(verifyInclusion(text, { hash: hashOf(2), vkey }).checkpoint.size).toBe(6)
    for (const commit of [0, 7])
      await expect(proveCommit(whole, directory, { commit, checkpoint })).rejects.toThrow(
        failsWith('VARVE_NOT_PROVEN', `The checkpoint saw commits 1 to 6, and no ${commit}.`),
      )
  })

  test('shows that nothing was rewritten between two checkpoints', async () => {
    for (let size = 1; size <= 10; size++) {
      const old = formerCheckpoint(size)
      const { text } = await proveConsistency(whole, directory, { old, checkpoint: head })
      expect(verifyConsistency(old, text, { vkey })).toMatchObject({ old: { size }, new: { size: 10 } })
    }
    await expect(
      proveConsistency(whole, directory, { old: head, checkpoint: formerCheckpoint(6) }),
    ).rejects.toThrow(failsWith('VARVE_NOT_PROVEN', 'saw 6 commits, the older one 10'))
  })

  test('reaches as far as the commit log is whole', async () => {
    const disk = whole.snapshot()
    const { segment, offset } = places.offsets[6]!
    flip(disk, places.path(commitsFolder, segment), offset + 8)
    const { text } = await proveCommit(disk, directory, { commit: 3, checkpoint: formerCheckpoint(6) })
    expect(verifyInclusion(text, { hash: hashOf(3), vkey }).number).toBe(3)
    await expect(proveCommit(disk, directory, { commit: 3, checkpoint: head })).rejects.toThrow(
      failsWith('VARVE_CORRUPT'),
    )
  })

  test('does not need what a user said of a commit', async () => {
    const disk = whole.snapshot()
    const { segment, offset } = places.offsets[0]!
    const path = places.path(commitsFolder, segment)
    const at = Buffer.from(disk.peek(path)).indexOf('first import', offset)
    expect(at).toBeGreaterThan(offset)
    flip(disk, path, at)
    expect((await checkpointDirectory(disk, directory, { key })).text).toBe(head)
  })

  test('is none of a history that was rewritten or cut short, or of another journal', async () => {
    const rewritten = await otherHistory(12)
    const cut = await otherHistory(4)
    const old = formerCheckpoint(3)
    await expect(proveCommit(rewritten, directory, { commit: 2, checkpoint: head })).rejects.toThrow(
      failsWith('VARVE_NOT_PROVEN', 'The checkpoint saw other commits 1 to 10 than stand in'),
    )
    await expect(proveCommit(cut, directory, { commit: 2, checkpoint: head })).rejects.toThrow(
      failsWith('VARVE_NOT_PROVEN', 'The checkpoint saw 10 commits; '),
    )
    const { text: checkpoint } = await checkpointDirectory(rewritten, directory, { key })
    await expect(proveConsistency(rewritten, directory, { old, checkpoint })).rejects.toThrow(
      failsWith('VARVE_NOT_PROVEN', 'history was rewritten'),
    )
  })
})

describe('verifying against what was kept elsewhere', () => {
  const kept = (number: number) => ({ number, hash: hashOf(number) })
  const anchorOf = async (disk: MemoryDisk, against: Parameters<typeof verifyDirectory>[2]) =>
    (await verifyDirectory(disk, directory, against)).anchor

  test('is done only where it is asked for', async () => {
    expect(await anchorOf(whole, {})).toBeUndefined()
  })

  test.each([1, 6, 10])('anchors all up to commit %i, and says how many came later', async (number) => {
    const anchored = { state: 'anchored', number, later: 10 - number }
    expect(await anchorOf(whole, { against: kept(number) })).toEqual(anchored)
    expect(await anchorOf(whole, { against: readCheckpoint(formerCheckpoint(number)) })).toEqual(anchored)
    const capitals = { number, hash: hashOf(number).toUpperCase() }
    expect(await anchorOf(whole, { against: capitals })).toEqual(anchored)
  })

  test('finds a history that verifies by itself, and is another one', async () => {
    const disk = await otherHistory(12)
    const expected = { state: 'rewritten', number: 10, later: 2 }
    expect((await verifyDirectory(disk, directory)).intact).toBe(true)
    expect(await anchorOf(disk, { against: kept(10) })).toEqual(expected)
    expect(await anchorOf(disk, { against: readCheckpoint(head) })).toEqual(expected)
  })

  test('finds a cut that leaves no trace', async () => {
    const disk = await otherHistory(9)
    const expected = { state: 'cut short', number: 10, later: 0 }
    expect((await verifyDirectory(disk, directory)).intact).toBe(true)
    expect(await anchorOf(disk, { against: kept(10) })).toEqual(expected)
    expect(await anchorOf(disk, { against: readCheckpoint(head) })).toEqual(expected)
  })

  test('finds a break below the commit that is known', () => {
    const forged = places.commits.map((commit, index) =>
      index === 3 ? { ...commit, hash: new Uint8Array(32) } : commit,
    )
    expect(holdAgainst(places.commits, kept(10)).state).toBe('anchored')
    expect(holdAgainst(forged, kept(10)).state).toBe('rewritten')
    expect(holdAgainst(forged, readCheckpoint(head)).state).toBe('rewritten')
    expect(holdAgainst(forged, kept(3)).state).toBe('anchored')
  })

  test('says nothing where commits are lost that it would take', async () => {
    const disk = whole.snapshot()
    const { segment, offset } = places.offsets[6]!
    flip(disk, places.path(commitsFolder, segment), offset + 8)
    expect(await anchorOf(disk, { against: kept(10) })).toMatchObject({ state: 'unknown' })
    expect(await anchorOf(disk, { against: readCheckpoint(head) })).toMatchObject({ state: 'unknown' })
    expect(await anchorOf(disk, { against: kept(6) })).toMatchObject({ state: 'anchored', later: 4 })
  })
})

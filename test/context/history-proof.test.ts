import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { verifyCheckpoint, verifyConsistency, verifyInclusion } from 'varve'
import { StorageContext, type StorageContextOptions } from '../../src/context/storage-context.ts'
import { formatSignerKey, formatVerifierKey, newSignerKey } from '../../src/history/note-key.ts'
import { Document } from '../../src/stores/node.ts'
import { flip } from '../history/sample-journal.ts'
import { seededBytes } from '../support/seeded.ts'
import { quietDisk } from './support.ts'

const persistDir = '/storage'
const signer = newSignerKey('example.com/storage', seededBytes(1))
const key = formatSignerKey(signer)
const vkey = formatVerifierKey(signer)

let disk: ReturnType<typeof quietDisk>
let storage: StorageContext

const open = (options: StorageContextOptions = {}): Promise<StorageContext> =>
  StorageContext.fromDefaults({ persistDir, disk, ...options })

async function commit(...ids: string[]): Promise<void> {
  for (const id_ of ids) {
    await storage.docstore.addDocuments([new Document({ id_, text: `text of ${id_}` })])
    await storage.persist()
  }
}

beforeEach(async () => {
  disk = quietDisk()
  storage = await open()
  await commit('a', 'b', 'c')
  await storage.docstore.addDocuments([new Document({ id_: 'pending' })])
})

afterEach(() => storage.rollback().then(() => storage.close()))

describe('beside pending changes and a writer, history', () => {
  test('verifies what is committed, and says where it is damaged', async () => {
    const before = disk.operations
    expect(await storage.history.verify()).toMatchObject({ directory: persistDir, intact: true, commits: 3 })
    flip(disk, `${persistDir}/docstore/0000000001.log`, 200)
    const reader = await open({ readOnly: true })
    const { intact, damages } = await reader.history.verify()
    expect({ intact, damaged: damages.map(({ store }) => store) }).toEqual({
      intact: false,
      damaged: ['docstore'],
    })
    await reader.close()
    expect(disk.operations).toBe(before)
    expect(storage.hasPendingChanges).toBe(true)
  })

  test('is held against what was kept elsewhere', async () => {
    const { text } = await storage.history.checkpoint({ key })
    const against = verifyCheckpoint(text, { vkey })
    const anchored = { state: 'anchored', number: 3, later: 0 }
    expect((await storage.history.verify({ against })).anchor).toEqual(anchored)
    const foreign = { number: 2, hash: '0'.repeat(64) }
    expect((await storage.history.verify({ against: foreign })).anchor).toMatchObject({ state: 'rewritten' })
  })

  test('signs all that its own writer was told to be durable', async () => {
    expect(await storage.history.checkpoint({ key, origin: 'here' })).toMatchObject({
      origin: 'here',
      size: 3,
      uncovered: 0,
    })
    const reader = await open({ readOnly: true })
    // It shares the writer's journal; another process would see one commit less.
    expect(await reader.history.checkpoint({ key })).toMatchObject({ size: 3, uncovered: 0 })
    await reader.close()
  })

  test('does not sign what is only buffered', async () => {
    disk = quietDisk()
    const buffered = await open({ durability: 'buffered' })
    await buffered.docstore.addDocuments([new Document({ id_: 'a' })])
    await buffered.persist()
    await expect(buffered.history.checkpoint({ key })).rejects.toMatchObject({ code: 'VARVE_NOT_FOUND' })
    await buffered.flush()
    expect(await buffered.history.checkpoint({ key })).toMatchObject({ size: 1, uncovered: 0 })
    await buffered.close()
    disk = quietDisk()
  })

  test('never signs what contradicts the checkpoint before', async () => {
    const { text: previous } = await storage.history.checkpoint({ key, origin: 'one' })
    await expect(storage.history.checkpoint({ key, previous })).rejects.toMatchObject({
      code: 'VARVE_NOT_PROVEN',
    })
  })

  test('proves commits by any name, and that it goes on where it ended', async () => {
    const { text: old } = await storage.history.checkpoint({ key })
    await storage.history.tag('v1', 2)
    const { text: checkpoint } = await storage.history.checkpoint({ key })
    for (const moment of ['v1', 2, 'HEAD~2']) {
      const { text, hash, number } = await storage.history.prove(moment, { checkpoint })
      expect({ number, hash }).toEqual({ number: 2, hash: (await hashes())[2] })
      expect(verifyInclusion(text, { hash, vkey }).number).toBe(2)
    }
    const { text } = await storage.history.proveConsistency(old, { checkpoint })
    expect(verifyConsistency(old, text, { vkey })).toMatchObject({ old: { size: 3 }, new: { size: 4 } })
    await expect(storage.history.prove(4, { checkpoint: old })).rejects.toMatchObject({
      code: 'VARVE_NOT_PROVEN',
    })
    await expect(storage.history.prove('v9', { checkpoint })).rejects.toMatchObject({
      code: 'VARVE_NO_SUCH_MOMENT',
    })
    await expect(storage.history.proveConsistency(checkpoint, { checkpoint: old })).rejects.toMatchObject({
      code: 'VARVE_NOT_PROVEN',
    })
  })

  test('is the whole one, whatever moment a context shows', async () => {
    const past = await storage.asOf(1)
    expect(await past.history.verify()).toMatchObject({ commits: 3 })
    await past.close()
  })

  test('stops where it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(storage.history.verify({ signal })).rejects.toThrow('enough')
    await expect(storage.history.checkpoint({ key, signal })).rejects.toThrow('enough')
  })
})

describe('where nothing was ever committed', () => {
  const questions = ({ history }: StorageContext): Promise<unknown>[] => [
    history.verify(),
    history.checkpoint({ key }),
    history.prove(1, { checkpoint: '' }),
    history.proveConsistency('', { checkpoint: '' }),
  ]

  test('in memory, there is nothing to verify or prove', async () => {
    const memory = await StorageContext.fromDefaults({ disk })
    await memory.docstore.addDocuments([new Document({ id_: 'a' })])
    for (const answer of questions(memory))
      await expect(answer).rejects.toMatchObject({
        code: 'VARVE_NO_SUCH_MOMENT',
        message: 'Nothing was ever committed in memory: it has no past. Call persist() first.',
      })
    await memory.close()
  })

  test('nor in a directory that is still to come', async () => {
    const early = await StorageContext.fromDefaults({ persistDir: '/new', disk })
    const codes = await Promise.all(
      questions(early).map((answer) => answer.catch((error: { code: string }) => error.code)),
    )
    expect(codes).toEqual(['VARVE_NOT_FOUND', 'VARVE_NOT_FOUND', 'VARVE_NO_SUCH_MOMENT', 'VARVE_BAD_PROOF'])
    await early.close()
  })
})

async function hashes(): Promise<Record<number, string>> {
  const found: Record<number, string> = {}
  for await (const { number, hash } of storage.commits()) found[number] = hash
  return found
}

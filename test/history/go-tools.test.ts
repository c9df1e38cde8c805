/** Go's own tools (golang.org/x/mod/sumdb/note and tlog) take our checkpoints and proofs, and we take theirs. */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyCheckpoint, verifyConsistency, verifyInclusion } from 'varve'
import { signCheckpoint } from '../../src/history/checkpoint.ts'
import { readCommitHashes } from '../../src/history/commit-hashes.ts'
import { merkleRoot } from '../../src/history/merkle-tree.ts'
import { formatVerifierKey, newSignerKey } from '../../src/history/note-key.ts'
import { checkpointDirectory, proveCommit, proveConsistency } from '../../src/history/prove.ts'
import { Journal } from '../../src/journal/journal.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { seededBytes } from '../support/seeded.ts'
import { put, toyOptions } from '../support/toy-store.ts'

interface Answer {
  vkey: string
  checkpoints: string[]
  inclusions: string[]
  consistency: string[]
  verdicts: string[]
}

const commits = 21
const directory = '/storage'
const key = newSignerKey('example.com/storage', seededBytes(1))
const vkey = formatVerifierKey(key)
const sources = join(import.meta.dirname, 'go')
const built = mkdtempSync(join(tmpdir(), 'varve-go-'))
const program = join(built, 'interop.exe')

function missingTools(): string | undefined {
  const fetched = spawnSync('go', ['mod', 'download'], { cwd: sources, encoding: 'utf8' })
  if (fetched.error) return 'there is no Go on this machine'
  return fetched.status === 0 ? undefined : `Go cannot fetch its module: ${fetched.stderr}`
}

const missing = missingTools()
if (missing !== undefined) console.log(`Skipped: Go's tools against our proofs, since ${missing}.`)

afterAll(() => rmSync(built, { recursive: true, force: true }))

function askGo(question: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      error ? reject(new Error(stderr, { cause: error })) : resolve(JSON.parse(stdout) as Answer),
    )
    child.stdin!.end(JSON.stringify(question))
  })
}

const base64 = (hash: Uint8Array): string => Buffer.from(hash).toString('base64')
const hex = (hash: Uint8Array): string => Buffer.from(hash).toString('hex')

describe.skipIf(missing !== undefined)("Go's tools", () => {
  let hashes: Uint8Array[]
  let origin: string
  let checkpoints: string[]
  let inclusions: { proof: string; leaf: string }[]
  let consistency: { old: string; proof: string }[]

  beforeAll(async () => {
    execFileSync('go', ['build', '-o', program, '.'], { cwd: sources })
    const disk = new MemoryDisk()
    await disk.makeDirectory(directory)
    const journal = await Journal.open(directory, toyOptions({ disk }))
    for (let number = 1; number <= commits; number++) {
      await put(journal, 'docstore', { [`key-${number}`]: number })
      await journal.persist()
    }
    await journal.close()
    ;({ hashes } = await readCommitHashes(disk, directory))
    const { text: checkpoint, origin: own } = await checkpointDirectory(disk, directory, { key })
    origin = own
    checkpoints = hashes.map((_, index) =>
      signCheckpoint({ origin, size: index + 1, root: merkleRoot(hashes, index + 1) }, key),
    )
    expect(checkpoints.at(-1)).toBe(checkpoint)
    inclusions = []
    consistency = []
    for (const [index, hash] of hashes.entries()) {
      const { text } = await proveCommit(disk, directory, { commit: index + 1, checkpoint })
      inclusions.push({ proof: text, leaf: base64(hash) })
      const old = checkpoints[index]!
      const { text: proof } = await proveConsistency(disk, directory, { old, checkpoint })
      consistency.push({ old, proof })
    }
  }, 120_000)

  const ask = (): Promise<Answer> =>
    askGo({ vkey, origin, leaves: hashes.map(base64), checkpoints, inclusions, consistency })

  test('accept every checkpoint and every proof of ours', async () => {
    const { verdicts } = await ask()
    expect(verdicts).toHaveLength(3 * commits)
    expect(new Set(verdicts)).toEqual(new Set(['yes']))
  })

  test('refuse those that are bent', async () => {
    const { verdicts } = await askGo({
      vkey,
      origin,
      leaves: hashes.map(base64),
      checkpoints: checkpoints.map((checkpoint) => checkpoint.replace(/\n(\d+)\n/, '\n1$1\n')),
      inclusions: inclusions.map(({ proof }) => ({ proof, leaf: base64(new Uint8Array(32)) })),
      consistency: consistency
        .slice(0, -1)
        .map(({ old }, index) => ({ old, proof: consistency[index + 1]!.proof })),
    })
    expect(verdicts).toHaveLength(3 * commits - 1)
    expect(verdicts).not.toContain('yes')
  })

  test('make checkpoints and proofs that we accept, equal to ours but for the key', async () => {
    const go = await ask()
    const text = (signed: string): string => signed.slice(0, signed.indexOf('\n—'))
    expect(go.checkpoints.map(text)).toEqual(checkpoints.map(text))
    expect(go.inclusions.map(text)).toEqual(inclusions.map(({ proof }) => text(proof)))
    expect(go.consistency.map(text)).toEqual(consistency.map(({ proof }) => text(proof)))
    for (const [index, hash] of hashes.entries()) {
      const options = { vkey: go.vkey, origin }
      expect(verifyCheckpoint(go.checkpoints[index]!, options).size).toBe(index + 1)
      expect(verifyInclusion(go.inclusions[index]!, { ...options, hash: hex(hash) }).number).toBe(index + 1)
      const proven = verifyConsistency(go.checkpoints[index]!, go.consistency[index]!, options)
      expect(proven.old.size).toBe(index + 1)
    }
  })
})

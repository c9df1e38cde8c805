// Threads run the built package: what they find must be what one thread finds in the sources.
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeDisk } from '../../src/disk/node-disk.ts'
import { verifyDirectory } from '../../src/history/verify.ts'
import type { VerifyReport } from '../../src/history/verify-report.ts'
import { StorageContext, VectorStoreIndex } from '../../src/index.ts'
import { TextNode } from '../../src/stores/node.ts'
import { BuiltCommand, ended, type Ran } from '../cli/built-command.ts'
import { seededRandom } from '../support/seeded.ts'

/** Says, on stderr, what becomes of threads. */
const witness = `
import threads from 'node:worker_threads'
import { syncBuiltinESMExports } from 'node:module'
const say = (what) => process.stderr.write('[thread ' + what + ']')
threads.Worker = class extends threads.Worker {
  constructor(...given) {
    super(...given)
    say('begun')
    this.on('message', (message) => 'answer' in message && say('answered'))
    this.on('error', () => say('failed'))
    this.on('exit', () => say('ended'))
  }
}
syncBuiltinESMExports()
`

let parent: string
/** Two stores of 20 MB, with an erase, snapshots, and two more stores. */
let storage: string
let command: BuiltCommand

beforeAll(async () => {
  command = new BuiltCommand()
  parent = mkdtempSync(join(tmpdir(), 'varve-threads-'))
  storage = join(parent, 'storage')
  writeFileSync(join(parent, 'witness.mjs'), witness)
  const context = await StorageContext.fromDefaults({ persistDir: storage })
  const index = await VectorStoreIndex.init({ storageContext: context, indexId: 'all' })
  const random = seededRandom(1)
  const add = async (from: number, to: number): Promise<void> => {
    const nodes = Array.from({ length: to - from }, (_, at) => {
      const embedding = Array.from({ length: 1024 }, () => random())
      return new TextNode({ id_: `node-${from + at}`, text: `${from + at} `.repeat(1000), embedding })
    })
    await index.insertNodes(nodes)
    await context.persist({ message: `${from} to ${to}` })
  }
  for (let from = 0; from < 5000; from += 1000) await add(from, from + 1000)
  await context.graphStore.upsertTriplet('a', 'follows', 'b')
  await context.history.erase({ nodeIds: ['node-7', 'node-2007'], reason: 'asked for' })
  for (let from = 5000; from < 5050; from++) await add(from, from + 1)
  await context.close()
}, 120_000)

afterAll(() => {
  command.remove()
  rmSync(parent, { recursive: true, force: true })
})

async function reportOf(directory: string): Promise<{ ran: Ran; report: VerifyReport }> {
  const ran = await command.run(['verify', directory, '--json'], {
    NODE_OPTIONS: `--import ${pathToFileURL(join(parent, 'witness.mjs')).href}`,
  })
  return { ran, report: JSON.parse(ran.stdout) as VerifyReport }
}

/** As JSON has it. */
async function expectedOf(directory: string): Promise<VerifyReport> {
  return JSON.parse(JSON.stringify(await verifyDirectory(nodeDisk, directory))) as VerifyReport
}

const isAlone = availableParallelism() < 2
if (isAlone) console.log('Skipped: one processor only, on which no threads are started.')

describe.skipIf(isAlone)('threads', () => {
  test('find what one thread finds', { timeout: 60_000 }, async () => {
    const { ran, report } = await reportOf(storage)
    expect(ran.stderr).toContain('[thread answered]')
    expect(ran.stderr).not.toContain('[thread failed]')
    expect(ran.code).toBe(0)
    expect(report).toEqual(await expectedOf(storage))
    expect(report.intact).toBe(true)
    expect(report.erasures).toMatchObject([{ isFinished: true }])
    expect(report.snapshots.length).toBeGreaterThan(5)
    for (const { subject, state } of report.snapshots)
      expect({ subject, state }).toMatchObject({ state: 'equal' })
  })

  test('find the same damage, wherever it is', { timeout: 120_000 }, async () => {
    const damaged = join(parent, 'damaged')
    cpSync(storage, damaged, { recursive: true })
    const random = seededRandom(2)
    for (const folder of ['docstore', 'vector_store/default', 'index_store', 'snapshots', 'erasures']) {
      for (const name of readdirSync(join(damaged, folder))) {
        const path = join(damaged, folder, name)
        const bytes = readFileSync(path)
        for (let flips = 0; flips < 3; flips++)
          bytes[100 + Math.floor(random() * (bytes.length - 100))]! ^= 1 << Math.floor(random() * 8)
        writeFileSync(path, bytes)
      }
    }
    const { ran, report } = await reportOf(damaged)
    expect(ran.stderr).toContain('[thread answered]')
    expect(ran.code).toBe(1)
    expect(report).toEqual(await expectedOf(damaged))
    const hit = new Set(report.damages.map(({ store }) => store))
    expect(hit).toContain('docstore')
    expect(hit).toContain('vector_store/default')
  })

  test('that cannot begin, or may not, cost nothing but time', { timeout: 120_000 }, async () => {
    const expected = await expectedOf(storage)
    const installed = join(command.directory, 'node_modules/varve')
    const worker = join(installed, 'dist/history/inspection-worker.js')
    const code = readFileSync(worker)
    for (const broken of [undefined, 'const', 'process.exit(3)']) {
      if (broken === undefined) rmSync(worker)
      else writeFileSync(worker, broken)
      const { ran, report } = await reportOf(storage)
      expect(ran.stderr).toContain('[thread ended]')
      expect(ran.stderr).not.toContain('[thread answered]')
      expect(ran.code).toBe(0)
      expect(report).toEqual(expected)
    }
    writeFileSync(worker, code)
    const forbidding = ['--experimental-permission', '--allow-fs-read=*', '--allow-fs-write=*']
    const json = execFileSync(process.execPath, [...forbidding, command.path, 'verify', storage, '--json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 26,
    })
    expect(JSON.parse(json)).toEqual(expected)
  })

  test('end with who is interrupted', { timeout: 60_000 }, async () => {
    const script = join(command.directory, 'interrupted.mjs')
    writeFileSync(
      script,
      `import { StorageContext } from 'varve'
      const storage = await StorageContext.fromDefaults({ persistDir: ${JSON.stringify(storage)}, readOnly: true })
      const controller = new AbortController()
      let told = 0
      const onProgress = ({ bytes, totalBytes }) => {
        if (bytes < 0 || bytes > totalBytes) console.log('wrong progress')
        if (++told === 5) controller.abort(new Error('enough'))
      }
      try {
        await storage.history.verify({ signal: controller.signal, onProgress })
      } catch (error) {
        console.log(error.message)
      }
      await storage.close()`,
    )
    const witnessed = ['--import', pathToFileURL(join(parent, 'witness.mjs')).href, script]
    const ran = await ended(spawn(process.execPath, witnessed))
    expect(ran.stdout).toBe('enough\n')
    expect(ran.code).toBe(0)
    expect(ran.stderr).toContain('[thread begun]')
    expect(ran.stderr).not.toContain('[thread answered]')
  })
})

// Whoever calls insert, together, transaction, persist, rollback and close at the same time, and however the disk's operations fall between:
// what resolved is durable, what threw or was rolled back is gone, units are whole, and no call waits for ever.
import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import { test } from 'vitest'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { StorageContext, TextNode, VarveError } from '../src/index.ts'
import { seededBytes } from '../test/support/seeded.ts'
import { clients, Run, type Client } from './support/interleaved-calls.ts'
import { contentsOf, expectPromisesKept, type Contents } from './support/promises-kept.ts'

const persistDir = '/storage'
const numRuns = Number(process.env['INTERLEAVINGS'] ?? 400)

interface Scenario {
  clients: Client[]
  /** A commit stands there already. */
  isOld: boolean
}

test('calls that run at the same time keep what each of them promises', { timeout: 300_000 }, async () => {
  const scenarios = fc.record({ clients, isOld: fc.boolean() })
  await fc.assert(fc.asyncProperty(fc.scheduler(), scenarios, keepsItsPromises), { numRuns, ...(process.env['SEED'] && { seed: Number(process.env['SEED']), path: process.env['FCPATH'], endOnFailure: true }) })
})

async function keepsItsPromises(scheduler: fc.Scheduler, scenario: Scenario): Promise<void> {
  let isDelayed = false
  const pause = (who: string) => () => (isDelayed ? scheduler.schedule(Promise.resolve(), who) : Promise.resolve())
  const disk = new MemoryDisk({ delay: pause('the disk') })
  const random = seededBytes(1)
  const open = (on: MemoryDisk): Promise<StorageContext> =>
    StorageContext.fromDefaults({ persistDir, disk: on, random, clock: () => new Date(0), onWarning: () => {} })
  if (scenario.isOld) await writeOne(await open(disk))

  const contexts = [await open(disk), await open(disk)] as const
  const run = new Run(contexts, disk, pause('a client'))
  isDelayed = true
  disk.onOperation = (o) => console.log('op', o.kind, o.path)
  const R = run as any; const og = R.calls.push.bind(R.calls); 
  const served = Promise.all(scenario.clients.map((client) => run.serve(client)))
  await orStuck(scheduler.waitFor(served))
  isDelayed = false
  disk.onOperation = undefined
  console.log(JSON.stringify(run.calls), JSON.stringify(run.groups))
  for await (const c of contexts[0].commits()) console.log('commit', c)
  for (const { at, disk: image } of run.images) { console.log('image', at); for (const f of ['varve.json', 'commits/0000000001.log', 'docstore/0000000001.log','graph_store/0000000001.log','vector_store/default/0000000001.log']) { try { console.log(f, image.peek('/storage/' + f).length, disk.peek('/storage/' + f).length) } catch (e) { console.log(f, String(e)) } } }
  for (const { at, disk: image } of run.images) await look(image, open, run, at)
  const living = contexts.find((_, index) => !run.isClosed(index))
  if (living) {
    const live = await contentsOf(living)
    expectPromisesKept(live, run, { at: run.now(), isCommitted: false })
    await living.persist()
    deepStrictEqual(await look(disk.image('none'), open, run, run.now()), live)
  }
  for (const context of contexts) await context.close()
  await look(disk.image('none'), open, run, run.now())
}

/** Another process, after a power cut. */
async function look(
  image: MemoryDisk,
  open: (on: MemoryDisk) => Promise<StorageContext>,
  run: Run,
  at: number,
): Promise<Contents> {
  const storage = await open(image)
  for await (const c of storage.commits()) console.log('image commit', at, c.number)
  const contents = await contentsOf(storage)
  expectPromisesKept(contents, run, { at, isCommitted: true })
  await storage.close()
  return contents
}

async function writeOne(storage: StorageContext): Promise<void> {
  await storage.docstore.addDocuments([new TextNode({ id_: 'old', text: 'Text of old' })])
  await storage.persist()
  await storage.close()
}

async function orStuck<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const stuck = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a call waits for ever')), 5000)
  })
  return Promise.race([work, stuck]).finally(() => clearTimeout(timer))
}

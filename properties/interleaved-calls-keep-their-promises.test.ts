// Whoever calls insert, together, transaction, persist, rollback and close at the same time, and however the disk's operations fall between:
// what resolved is durable, what threw or was rolled back is gone, units are whole, no call waits for ever, and whoever closes gives up the lock.
// More with INTERLEAVINGS=1000; what a failure prints repeats it.
import { deepStrictEqual, ok } from 'node:assert'
import fc from 'fast-check'
import { test } from 'vitest'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { StorageContext, TextNode, type VarveError } from '../src/index.ts'
import { seededBytes } from '../test/support/seeded.ts'
import { clients, Run, type Client } from './support/interleaved-calls.ts'
import { contentsOf, expectPromisesKept, type Contents } from './support/promises-kept.ts'

const persistDir = '/storage'
const numRuns = Number(process.env['INTERLEAVINGS'] ?? 100)

interface Scenario {
  clients: Client[]
  /** A commit stands there already. */
  isOld: boolean
}

test('calls that run at the same time keep what each of them promises', { timeout: 300_000 }, async () => {
  const scenarios = fc.record({ clients, isOld: fc.boolean() })
  await fc.assert(fc.asyncProperty(fc.scheduler(), scenarios, keepsItsPromises), { numRuns })
})

async function keepsItsPromises(scheduler: fc.Scheduler, scenario: Scenario): Promise<void> {
  let isDelayed = false
  const pause = (who: string) => () =>
    isDelayed ? scheduler.schedule(Promise.resolve(), who) : Promise.resolve()
  const disk = new MemoryDisk({ delay: pause('the disk') })
  const random = seededBytes(1)
  const open = (on: MemoryDisk): Promise<StorageContext> =>
    StorageContext.fromDefaults({
      persistDir,
      disk: on,
      random,
      clock: () => new Date(0),
      onWarning: () => {},
    })
  if (scenario.isOld) await writeOne(await open(disk))

  const contexts = [await open(disk), await open(disk)] as const
  const run = new Run(contexts, disk, pause('a client'))
  isDelayed = true
  const served = Promise.all(scenario.clients.map((client) => run.serve(client)))
  await orStuck(scheduler.waitFor(served))
  isDelayed = false

  for (const { at, disk: image } of run.images) await look(image, open, run, at)
  const living = contexts.find((_, index) => !run.isClosed(index))
  if (living) {
    const live = await contentsOf(living)
    expectPromisesKept(live, run, { at: run.now(), isCommitted: false })
    await living.persist()
    deepStrictEqual(await look(disk.image('none'), open, run, run.now()), live)
  }
  for (const context of contexts) await context.close()
  if (await disk.stat(persistDir))
    ok(!(await disk.list(persistDir)).includes('LOCK'), 'all is closed, and the lock is held')
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

test('found so: what is pending before a transaction survives that a unit fails inside it', async () => {
  const disk = new MemoryDisk()
  const storage = await StorageContext.fromDefaults({ persistDir, disk })
  const add = (id: string): Promise<void> =>
    storage.docstore.addDocuments([new TextNode({ id_: id, text: `Text of ${id}` })])
  await add('old')
  await storage.persist()
  await add('pending')
  await storage.transaction({}, async () => {
    const failing = storage.together(async () => {
      await add('dropped')
      throw new TypeError('on purpose')
    })
    await failing.catch(() => {}) // The transaction goes on without it.
    await add('kept')
  })
  const again = await StorageContext.fromDefaults({ persistDir, disk: disk.image('none') })
  deepStrictEqual([...(await contentsOf(again)).documents], ['old', 'pending', 'kept'])
})

test('found so: whoever closes while the first change takes the lock leaves no lock, and the change is refused as closed', async () => {
  for (let operations = 0; operations < 60; operations++) {
    for (const how of ['insert', 'together', 'transaction'] as const) {
      const waiting: (() => void)[] = []
      let isDelayed = false
      const disk = new MemoryDisk({
        delay: () => (isDelayed ? new Promise((go) => waiting.push(go)) : Promise.resolve()),
      })
      await writeOne(await StorageContext.fromDefaults({ persistDir, disk }))
      const storage = await StorageContext.fromDefaults({ persistDir, disk, onWarning: () => {} })
      const insert = (): Promise<void> =>
        storage.docstore.addDocuments([new TextNode({ id_: 'new', text: 'Text of new' })])
      isDelayed = true
      const calls = {
        insert,
        together: () => storage.together(insert),
        transaction: () => storage.transaction({}, insert),
      }
      const code = calls[how]().then(
        () => undefined,
        (error: unknown) => (error as VarveError).code ?? String(error),
      )
      for (let done = 0; done < operations; done++) {
        await new Promise((resolve) => setImmediate(resolve))
        waiting.shift()?.()
      }
      const closed = storage.close()
      isDelayed = false
      for (const go of waiting.splice(0)) go()
      await closed
      const where = `${how}, closed after ${operations} operations`
      ok([undefined, 'VARVE_CLOSED'].includes(await code), `${where}: ${await code}`)
      ok(!(await disk.list(persistDir)).includes('LOCK'), `${where}: the lock is left`)
    }
  }
})

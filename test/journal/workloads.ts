/** Small lives of a journal, each with one thing in it that a crash could spoil. */
import type { Fate, Operation } from '../../src/disk/memory-disk.ts'
import { VarveError } from '../../src/errors.ts'
import { seededRandom } from '../support/seeded.ts'
import { contexts, jsonFiles } from './context-subject.ts'
import { directory, type Change } from './model.ts'
import type { Workload, Writer } from './stage.ts'

const spilling = { limits: { spillBytes: 700, splitBytes: 500, segmentBytes: 6000 } }
const rolling = { limits: { segmentBytes: 700 } }
const snapping = { limits: { snapshotRowsBytes: 1, catalogCommits: 1 } }

async function commits(writer: Writer, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) {
    await writer.put('docstore', { [`node ${number}`]: number, last: number }, 300)
    if (number % 2) await writer.put('index_store', { [`entry ${number}`]: `${number}` })
    if (number > 2) await writer.remove('docstore', `node ${number - 2}`)
    await writer.persist()
  }
}

async function bulk(writer: Writer, keys: string, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    await writer.put('docstore', { [`${keys} ${number}`]: number }, 400)
    await writer.put('vector_store/default', { [`${keys} ${number}`]: number }, 200)
  }
}

/** Starts all of it in one step: each persist has its own change, and they wait for the same flush. */
async function together(count: number, start: (number: number) => Promise<void>[]): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, number) => start(number)).flat())
}

/** Commits, dies at the n-th operation after the second commit, and goes on from what is left. */
function restart(name: string, fate: () => Fate, dieAfter: number): Workload {
  return {
    name: `${name}, after ${dieAfter} operations`,
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 2)
      await writer.put('docstore', { torn: 1 }, 900)
      await writer.put('vector_store/default', { torn: 1 }, 900)
      await stage.dieAfter(dieAfter, () => writer.persist())
      await stage.restart(fate())
      const second = await stage.open()
      await commits(second, 11, 12)
      await second.close()
      const third = await stage.open()
      await commits(third, 13, 13)
    },
  }
}

/** `secret` in two stores and three versions. */
async function secrets(writer: Writer): Promise<void> {
  await commits(writer, 1, 1)
  await writer.put('docstore', { secret: 1, beside: 1 }, 200)
  await writer.put('vector_store/default', { secret: 1 })
  await writer.persist()
  await writer.put('docstore', { secret: 2, after: 2 }, 200)
  await writer.persist()
}

function erased(): Workload {
  let writer: Writer
  return {
    name: 'an erase, and commits after it',
    options: snapping,
    async before(stage) {
      writer = await stage.open()
      await secrets(writer)
    },
    async run(stage) {
      await writer.erase('secret')
      await commits(writer, 2, 2)
      await writer.close()
      await commits(await stage.open(), 3, 3)
    },
  }
}

/** Dies at the n-th operation of an erase; the next writer completes it, or there is nothing to complete. */
function cutErase(dieAfter: number): Workload {
  return {
    name: `an erase that dies after ${dieAfter} operations, and the next writer`,
    options: snapping,
    async before(stage) {
      const writer = await stage.open()
      await secrets(writer)
      await stage.dieAfter(dieAfter, () => writer.erase('secret'))
      await stage.restart(dieAfter % 2 ? 'all' : 'none')
    },
    async run(stage) {
      const second = await stage.open()
      await commits(second, 11, 11)
      await second.close()
    },
  }
}

/** The disk has no room at one operation; the same call is repeated until it has. */
function diskFull(
  what: string,
  matches: (operation: Operation) => boolean,
  nth: number,
  written = 0,
): Workload {
  return {
    name: `a full disk at ${what} ${nth}, ${written} bytes fitting`,
    options: spilling,
    async run(stage) {
      const writer = await stage.open()
      const error = Object.assign(new Error('ENOSPC: no space left on device'), {
        code: 'ENOSPC',
        syscall: 'write',
        written,
      })
      stage.failOnce(matches, nth, error)
      await untilDone(() => writer.put('docstore', { first: 1 }))
      await writer.put('vector_store/default', { first: 1 }, 300)
      await untilDone(() => writer.persist())
      await bulk(writer, 'more', 3)
      await untilDone(() => writer.persist())
      await writer.put('index_store', { later: 2 })
      await Promise.allSettled([
        writer.persist(),
        writer.put('docstore', { later: 2 }, 600).then(() => writer.persist()),
      ])
      await untilDone(() => writer.persist())
      await writer.close()
    },
  }
}

async function untilDone(call: () => Promise<void>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call()
    } catch (error) {
      if (attempt === 3 || !(error instanceof VarveError) || error.code !== 'VARVE_DISK_FULL') throw error
    }
  }
}

const converted: Change[] = [
  { folder: 'docstore', key: 'old', value: 0 },
  { folder: 'index_store', key: 'old', value: 0 },
  { folder: 'vector_store/default', key: 'old', value: 7 },
]

/** Changes of all stores through contexts. */
async function contextCommits(writer: Writer, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) {
    await writer.put('docstore', { [`node ${number}`]: number }, 300)
    await writer.put('index_store', { [`index ${number}`]: number }, 20)
    await writer.put('vector_store/default', { [`node ${number}`]: number })
    if (number > from) await writer.remove('docstore', `node ${number - 1}`)
    await writer.persist()
  }
}

const inCommits = ({ kind, path }: Operation): boolean => kind === 'write' && path.includes('/commits/')
const inStores = ({ kind, path }: Operation): boolean => kind === 'write' && path.includes('store/')

export const workloads: Workload[] = [
  {
    name: 'single commits over two stores',
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 4)
      await writer.close()
    },
  },
  {
    name: 'a group of persists that arrive together',
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 1)
      for (const round of ['a', 'b']) {
        await stage.grouped(() =>
          together(5, (number) => [
            writer.put(number % 2 ? 'docstore' : 'index_store', { [`${round}${number}`]: number }, 500),
            writer.persist(),
          ]),
        )
      }
      await writer.close()
    },
  },
  {
    name: 'a first group that is larger than a sector',
    async run(stage) {
      const writer = await stage.open()
      await stage.makeDirectory()
      await writer.put('docstore', { first: 0 })
      await stage.grouped(() =>
        together(5, (number) => [writer.put('docstore', { [`node ${number}`]: number }), writer.persist()]),
      )
    },
  },
  {
    name: 'spilled changes, then a commit',
    options: spilling,
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 1)
      await bulk(writer, 'bulk', 5)
      await writer.persist()
      await writer.put('docstore', { after: 1 })
      await writer.persist()
      await writer.close()
    },
  },
  {
    name: 'spilled changes while others commit',
    options: spilling,
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 1)
      await bulk(writer, 'one', 2)
      const persisting = writer.persist()
      await bulk(writer, 'two', 3)
      await Promise.all([persisting, bulk(writer, 'three', 2), writer.persist()])
      await writer.persist()
      await writer.close()
    },
  },
  {
    name: 'spilled changes, then a rollback',
    options: spilling,
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 1)
      await bulk(writer, 'bulk', 4)
      await writer.rollback()
      await commits(writer, 2, 3)
      await bulk(writer, 'bulk', 4)
      await writer.rollback()
      await writer.close()
      await commits(await stage.open(), 4, 4)
    },
  },
  {
    name: 'buffered commits and a flush',
    options: { durability: 'buffered' },
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 2)
      await writer.flush()
      await commits(writer, 3, 4)
      await Promise.all([writer.flush(), commits(writer, 5, 5)])
      await writer.close()
      await commits(await stage.open(), 6, 7)
    },
  },
  {
    name: 'buffered commits over several segments',
    options: { durability: 'buffered', ...rolling },
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 4)
      await writer.flush()
      await commits(writer, 5, 7)
    },
  },
  {
    name: 'snapshots on the way',
    options: snapping,
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 3)
      await writer.close()
      const second = await stage.open()
      await commits(second, 4, 5)
      await writer.close()
      await second.close()
    },
  },
  {
    name: 'segments that are full',
    options: rolling,
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 5)
      await writer.close()
      await commits(await stage.open(), 6, 7)
    },
  },
  {
    name: 'one commit over several segments',
    options: { limits: { ...rolling.limits, splitBytes: 300 } },
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 1)
      await writer.put('docstore', { a: 1, b: 2, c: 3, d: 4, e: 5 }, 250)
      await writer.put('index_store', { a: 1, b: 2, c: 3, d: 4, e: 5 }, 350)
      await writer.persist()
      await commits(writer, 2, 2)
      await writer.close()
    },
  },
  ...[1, 2, 3, 4, 5, 7].flatMap((dieAfter) => [
    restart('a killed process, and the next', () => 'all', dieAfter),
    restart('a power cut, and the next process', () => 'none', dieAfter),
    restart('a power cut that left a mixture, and the next process', () => seededRandom(dieAfter), dieAfter),
  ]),
  {
    name: 'the same segments after a close in order',
    async run(stage) {
      for (let session = 0; session < 3; session++) {
        const writer = await stage.open()
        await commits(writer, session * 2 + 1, session * 2 + 2)
        await writer.close()
      }
    },
  },
  {
    name: 'the takeover of a writer that lives',
    async run(stage) {
      const first = await stage.open()
      await commits(first, 1, 2)
      const second = await stage.open({ takeover: true })
      await commits(second, 11, 12)
      await stage.without(() => commits(first, 21, 21))
      await commits(second, 13, 13)
      await second.close()
      await commits(await stage.open(), 14, 14)
    },
  },
  {
    name: 'the takeover of a writer that goes on where a close left off',
    async run(stage) {
      const zeroth = await stage.open()
      await commits(zeroth, 1, 1)
      await zeroth.close()
      const first = await stage.open()
      await stage.without(() => first.put('docstore', { stuck: 1 }, 700))
      const second = await stage.open({ takeover: true })
      await commits(second, 11, 12)
      await stage.without(() => first.persist())
      await second.close()
      await commits(await stage.open(), 13, 13)
    },
  },
  {
    name: 'rollbacks',
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 2)
      await writer.put('docstore', { gone: 1, last: 0 })
      await writer.remove('index_store', 'entry 1')
      await writer.rollback()
      await commits(writer, 3, 3)
      await writer.put('vector_store/default', { gone: 1 })
      await writer.rollback()
      await writer.close()
    },
  },
  {
    name: 'transactions, one of which throws',
    options: spilling,
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 1)
      await writer.put('docstore', { before: 1 })
      await writer.transaction(async () => {
        await writer.put('docstore', { in: 1 }, 300)
        await writer.put('vector_store/default', { in: 1 })
      })
      await writer.put('docstore', { pending: 1 })
      const failing = writer.transaction(async () => {
        await bulk(writer, 'dropped', 3)
        throw new Error('on purpose')
      })
      await failing.catch(() => {})
      await writer.persist()
      await Promise.all([
        writer.transaction(() => bulk(writer, 'x', 2)),
        writer.transaction(() => bulk(writer, 'y', 2)),
      ])
      await writer.close()
    },
  },
  ...[0, 30, 64, 200].flatMap((written) => [
    ...[0, 1, 2].map((nth) => diskFull('the write to the commit log', inCommits, nth, written)),
    ...[0, 2, 5].map((nth) => diskFull('the write to a store', inStores, nth, written)),
  ]),
  ...(['makeDirectory', 'create', 'rename'] as const).flatMap((kind) =>
    [0, 1, 2, 3].map((nth) =>
      diskFull(
        kind,
        (operation) => operation.kind === kind && operation.path.startsWith(`${directory}/`),
        nth,
      ),
    ),
  ),
  {
    name: 'the conversion of a JSON directory',
    subject: contexts,
    async run(stage) {
      stage.found(jsonFiles(), converted)
      const writer = await stage.open()
      await contextCommits(writer, 1, 2)
      await writer.close()
      await contextCommits(await stage.open(), 3, 3)
    },
  },
  {
    name: 'the conversion of a JSON directory by a process that dies, and the next',
    subject: contexts,
    async run(stage) {
      stage.found(jsonFiles(), converted)
      const writer = await stage.open()
      await stage.dieAfter(16, () => contextCommits(writer, 1, 1))
      await stage.restart('all')
      const second = await stage.open()
      await contextCommits(second, 11, 12)
      await second.close()
    },
  },
  {
    name: 'two contexts in one process',
    subject: contexts,
    async run(stage) {
      const first = await stage.open()
      const second = await stage.open({}, first)
      await first.put('docstore', { mine: 1 }, 200)
      await second.put('index_store', { ours: 1 })
      await second.persist()
      await first.put('docstore', { 'mine too': 2 }, 300)
      await second.put('vector_store/default', { yours: 2 })
      const persisting = first.persist()
      await second.put('docstore', { yours: 3 }, 300)
      await Promise.all([persisting, second.persist()])
      await first.close()
      await contextCommits(second, 4, 4)
      await second.close()
    },
  },
  {
    name: 'buffered commits, reopened without and with a flush',
    options: { durability: 'buffered' },
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 3)
      await stage.restart('all')
      const second = await stage.open()
      await commits(second, 11, 12)
      await second.flush()
      await commits(second, 13, 13)
      await stage.restart('none')
      const third = await stage.open()
      await commits(third, 21, 22)
      await third.close()
    },
  },
  {
    name: 'a rollback while a commit is synced',
    options: spilling,
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 1)
      await writer.put('docstore', { kept: 1 }, 300)
      const persisting = writer.persist()
      await bulk(writer, 'dropped', 3)
      await Promise.all([persisting, writer.rollback()])
      await commits(writer, 2, 2)
      await writer.close()
    },
  },
  erased(),
  {
    name: 'an erase of what is pending, spilled and left by a process that died',
    options: spilling,
    async run(stage) {
      const writer = await stage.open()
      await commits(writer, 1, 1)
      await writer.put('docstore', { secret: 1 }, 900)
      await writer.put('vector_store/default', { secret: 1 }, 900)
      await stage.dieAfter(3, () => writer.persist())
      await stage.restart('all')
      const second = await stage.open()
      await second.put('docstore', { secret: 2 }, 900)
      await second.put('vector_store/default', { beside: 2 }, 900)
      await second.rollback()
      await second.put('docstore', { secret: 3, beside: 3 }, 900)
      await second.erase('secret')
      await commits(second, 2, 2)
      await second.close()
    },
  },
  {
    name: 'an erase among buffered commits',
    options: { durability: 'buffered' },
    async run(stage) {
      const writer = await stage.open()
      await secrets(writer)
      await writer.erase('secret')
      await commits(writer, 2, 2)
      await writer.close()
    },
  },
  ...[2, 5, 9, 12, 15].map(cutErase),
  {
    name: 'an erase through contexts',
    subject: contexts,
    async run(stage) {
      const writer = await stage.open()
      await writer.put('docstore', { 'secret node': 1, beside: 1 }, 200)
      await writer.put('vector_store/default', { 'secret node': 1, beside: 1 })
      await writer.persist()
      await writer.erase('secret node')
      await contextCommits(writer, 2, 2)
      await writer.close()
    },
  },
]

/** A process on a small disk of its own, which it fills up, writes on nevertheless, frees, and goes on with. */
import { ok, strictEqual } from 'node:assert'
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { VarveError } from '../../src/index.ts'
import type { Disk } from '../../src/disk/disk.ts'
import { nodeDisk } from '../../src/disk/node-disk.ts'
import { seededRandom } from '../support/seeded.ts'
import type { Shape } from './contents.ts'
import { writeJsonDirectory } from './json-directory.ts'
import { lastCommit } from './reader.ts'
import { obey, report } from './reporting.ts'
import { Writer } from './writer.ts'

export interface FullDiskOrder {
  /** Where the small disk is mounted. */
  top: string
  shape: Shape
  fromJson: boolean
  /** So many commits stand there before the disk is full; at random, one less or more. */
  before: number
  seed: number
  times: number
}

/** A disk of its own shares no journal with the writer: it reads what stands in the files. */
const asAnotherProcess = Object.create(nodeDisk) as Disk

const endings = ['persist again', 'roll back', 'reopen after', 'reopen before'] as const

obey(async (order: FullDiskOrder) => {
  const random = seededRandom(order.seed)
  for (let time = 0; time < order.times; time++) await fillOnce(order, { random, time })
  report({ is: 'done' })
})

async function fillOnce(
  order: FullDiskOrder,
  { random, time }: { random: () => number; time: number },
): Promise<void> {
  const { top, shape, fromJson } = order
  const directory = join(top, 'storage')
  const filler = join(top, 'filler')
  await mkdir(directory)
  if (fromJson) await writeJsonDirectory(directory, shape)
  const before = Math.floor(random() * (order.before + 1))
  const actor = `time ${time}`
  const writer = await Writer.open(directory, { shape, fromJson, actor })
  const start = await freeBytes(top)
  for (let count = 0; count < before; count++) await writer.commit()
  const commitBytes = before
    ? (start - (await freeBytes(top))) / before
    : 2 * shape.nodes * shape.textBytes + 100_000
  const room = Math.floor(random() * 2 * commitBytes)
  await writeFile(filler, new Uint8Array(Math.max(0, (await freeBytes(top)) - room)))

  const { refusal, how } = await commitUntilRefused(writer, random)
  strictEqual(refusal.code, 'VARVE_DISK_FULL', refusal.stack)
  const isPending = writer.storage.hasPendingChanges
  const persisted = isPending && writer.isChanged ? writer.last - 1 : writer.last
  strictEqual(await standing(order, directory), persisted - (fromJson && persisted === 1 ? 1 : 0))
  const ending = endings[Math.floor(random() * endings.length)]!
  await goOn({ order, directory, filler, actor, ending, writer, persisted })
  report({ is: 'refused', what: `${how}, ${isPending ? 'pending' : 'not pending'}, ${ending}` })
  await rm(directory, { recursive: true })
}

async function commitUntilRefused(
  writer: Writer,
  random: () => number,
): Promise<{ refusal: VarveError; how: string }> {
  for (let count = 0; count < 500; count++) {
    const inTransaction = random() < 0.3
    const refusal = await refusalOf(() => (inTransaction ? writer.transaction() : writer.commit()))
    if (refusal) return { refusal, how: inTransaction ? 'transaction' : 'persist' }
  }
  throw new Error('The disk was never full.')
}

interface Refused {
  order: FullDiskOrder
  directory: string
  filler: string
  actor: string
  ending: (typeof endings)[number]
  writer: Writer
  /** The last number before. */
  persisted: number
}

async function goOn({ order, directory, filler, actor, ending, writer, persisted }: Refused): Promise<void> {
  const { shape, fromJson } = order
  const reopen = async (): Promise<Writer> =>
    Writer.open(directory, { shape, fromJson, actor: `${actor} again` })
  let last = writer
  if (ending === 'reopen before') await writer.close()
  await rm(filler)
  if (ending === 'persist again') {
    // A change that was refused was not made: it is made now.
    if (!writer.isChanged) await writer.change()
    await writer.persist()
  } else if (ending === 'roll back') {
    await writer.storage.rollback()
    writer.forget()
    await writer.commit()
  } else {
    if (ending === 'reopen after') await writer.close()
    last = await reopen()
    strictEqual(last.last, persisted)
    await last.commit()
  }
  await last.expectAll()
  await last.commit()
  strictEqual(await standing(order, directory), persisted + 2)
  await last.close()
  strictEqual(await standing(order, directory), persisted + 2)
}

async function standing({ shape, fromJson }: FullDiskOrder, directory: string): Promise<number> {
  try {
    return await lastCommit(directory, shape, { fromJson, disk: asAnotherProcess })
  } catch (error) {
    ok(error instanceof VarveError && error.code === 'VARVE_NOT_FOUND', error as Error)
    return 0
  }
}

async function refusalOf(call: () => Promise<unknown>): Promise<VarveError | undefined> {
  try {
    await call()
    return undefined
  } catch (error) {
    if (error instanceof VarveError) return error
    throw error
  }
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

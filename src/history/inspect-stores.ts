/**
 * Inspects the stores of a journal, the largest first: if they are files of the system and there is enough to read, in as many threads as there are processors. A thread
 * that cannot be started, or fails, costs time only: what it was to do is done here.
 */
import { nodeDisk } from '../disk/node-disk.ts'
import { NodeThread, processors } from '../disk/node-thread.ts'
import type { LogCommit } from './commit-log.ts'
import type { InspectionData } from './inspection-worker.ts'
import type { SegmentReader } from './segment-reader.ts'
import {
  inspectStore,
  type StoreFindings,
  type StoreInspectionOptions,
  type StoreTask,
} from './store-inspection.ts'

/** Less than this is read before a thread has begun. */
const worthAThreadBytes = 16 * 1024 * 1024

interface Options extends StoreInspectionOptions {
  /** The commits that erased something. */
  erasing: readonly LogCommit[]
}

/** Notes are of bytes that it read. */
type InspectionThread = NodeThread<StoreTask, number, StoreFindings>

/** By folder. Throws what `inspectStore` does. */
export async function inspectStores(
  reader: SegmentReader,
  tasks: readonly StoreTask[],
  options: Options,
): Promise<Map<string, StoreFindings>> {
  const found = new Map<string, StoreFindings>()
  const waiting = tasks.toSorted((a, b) => sizeOf(b) - sizeOf(a))
  const inspectHere = async (): Promise<void> => {
    for (let task = waiting.shift(); task; task = waiting.shift())
      found.set(task.folder, await inspectStore(reader, task, options))
  }
  const inspectIn = async (thread: InspectionThread): Promise<void> => {
    while (isWorthAThread(waiting[0])) {
      const task = waiting.shift()!
      const findings = await askThread(thread, task, options)
      if (!findings) return void waiting.unshift(task)
      found.set(task.folder, findings)
    }
  }
  const threads = startThreads(reader, waiting, options)
  try {
    await Promise.all([inspectHere(), ...threads.map(inspectIn)])
  } finally {
    await Promise.all(threads.map((thread) => thread.end()))
  }
  await inspectHere()
  return found
}

/** One for each processor that this thread leaves, as far as there is something to do for it. */
function startThreads(
  { files: { disk, directory, journalId } }: SegmentReader,
  tasks: readonly StoreTask[],
  { erasing }: Options,
): InspectionThread[] {
  if (disk !== nodeDisk) return []
  const commits = erasing.map(({ number, parts }) => ({ number, parts }))
  const data: InspectionData = { directory, journalId, erasing: commits }
  const others = tasks.slice(1, processors()).filter(isWorthAThread)
  return others.map(() => new NodeThread('./inspection-worker.js', import.meta.url, data))
}

/** `undefined`: it could not. */
async function askThread(
  thread: InspectionThread,
  task: StoreTask,
  { onBytes, signal }: Options,
): Promise<StoreFindings | undefined> {
  let bytes = 0
  const onNote = (more: number): void => {
    bytes += more
    onBytes(more)
  }
  try {
    return await thread.ask(task, { onNote, signal })
  } catch {
    onBytes(-bytes) // They will be read again.
    return undefined
  }
}

function isWorthAThread(task: StoreTask | undefined): boolean {
  return task !== undefined && sizeOf(task) >= worthAThreadBytes
}

function sizeOf({ parts }: StoreTask): number {
  return parts.reduce((sum, { part }) => sum + part.to - part.from, 0)
}

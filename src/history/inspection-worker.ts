/** What a thread runs that inspects stores. It opens the journal's files for itself. */
import { nodeDisk } from '../disk/node-disk.ts'
import { answerInThread } from '../disk/node-thread.ts'
import type { Part } from '../log/part.ts'
import { SegmentFiles } from '../log/segment-files.ts'
import { learnErasures } from './erasing-commits.ts'
import { SegmentReader } from './segment-reader.ts'
import { inspectStore, type StoreFindings, type StoreTask } from './store-inspection.ts'

export interface InspectionData {
  directory: string
  journalId: Uint8Array
  /** The commits that erased something. */
  erasing: { number: number; parts: Part[] }[]
}

/** So many bytes are told of at once. */
const notedBytes = 1024 * 1024

answerInThread<InspectionData, StoreTask, number>(({ directory, journalId, erasing }) => {
  const reader = new SegmentReader(new SegmentFiles({ disk: nodeDisk, directory, journalId }))
  const ready = learnErasures(reader, erasing)
  return async (task, note): Promise<StoreFindings> => {
    await ready
    let bytes = 0
    const onBytes = (more: number): void => {
      if ((bytes += more) < notedBytes) return
      note(bytes)
      bytes = 0
    }
    const findings = await inspectStore(reader, task, { onBytes, signal: undefined })
    note(bytes)
    return findings
  }
})

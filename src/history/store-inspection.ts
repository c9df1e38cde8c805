/**
 * Reads all that commits put into one store, once, and holds the snapshots of it against what that folds to. What it is asked and what it answers is plain data, since
 * stores do not depend on each other: each can be inspected in a thread of its own.
 */
import type { Sections } from '../journal/snapshot.ts'
import { isTouchedSubject } from '../journal/touched-index.ts'
import type { Part } from '../log/part.ts'
import type { SegmentFault } from '../log/segment.ts'
import { kindOf } from '../stores/store-kinds.ts'
import type { ScannedFrame } from './frame-scan.ts'
import { scanPart, type PartScan } from './part-scan.ts'
import type { SegmentReader } from './segment-reader.ts'
import { SnapshotCheck, type AskedSnapshot } from './snapshot-check.ts'
import { StoreReplay } from './store-replay.ts'
import type { VerifiedSnapshot } from './verify-report.ts'

export interface StoreTask {
  folder: string
  /** What commits put there, in order. */
  parts: { commit: number; part: Part }[]
  /** Of its state, and of what its frames are about; ascending. */
  snapshots: AskedSnapshot[]
}

export interface StoreFindings {
  /** In the order of the task. */
  parts: PartFindings[]
  snapshots: VerifiedSnapshot[]
}

export interface PartFindings extends PartScan {
  frames: number
  items: number
  segmentFault: SegmentFault | undefined
  /** By the commits that erased it. */
  erased: Map<number, ErasedHere>
}

interface ErasedHere {
  items: number
  /** Those that hold bytes nevertheless. */
  left: { offset: number; item: number }[]
}

export interface StoreInspectionOptions {
  /** Called for each frame. */
  onBytes: (bytes: number) => void
  signal: AbortSignal | undefined
}

/** What was erased must be known. Throws `VARVE_NEWER`, what the disk does, and the signal's reason. */
export async function inspectStore(
  reader: SegmentReader,
  { folder, parts, snapshots }: StoreTask,
  options: StoreInspectionOptions,
): Promise<StoreFindings> {
  const replay = new StoreReplay(folder, kindOf, lastAsked(snapshots))
  const { erasures } = reader.files
  const judge = ({ commit, subject }: AskedSnapshot, sections: Sections): VerifiedSnapshot['state'] => {
    if (isTouchedSubject(subject)) return replay.touchedOf(sections)
    if (!replay.canBeCompared) return 'not compared'
    // Readers ignore what was made before an erase; it is removed before the erase comes to its end.
    if (erasures.spoils(subject, commit, erasures.unfinished)) return 'outdated'
    return replay.stateOf(sections)
  }
  const check = new SnapshotCheck(reader.files, snapshots, judge)
  const findings: PartFindings[] = []
  for (const { commit, part } of parts) {
    if (check.isDue(commit)) await check.before(commit)
    findings.push(await inspectPart(reader, { commit, part, replay }, options))
  }
  await check.before(Infinity)
  await reader.close(folder)
  return { parts: findings, snapshots: check.found }
}

/** The last commits whose snapshots can be compared: nobody asks for what comes after. */
function lastAsked(snapshots: readonly AskedSnapshot[]): { state: number; touched: number } {
  const last = (isTouched: boolean): number =>
    snapshots.findLast(
      ({ subject, hash, isBehindLoss }) =>
        isTouchedSubject(subject) === isTouched && hash !== undefined && !isBehindLoss,
    )?.commit ?? 0
  return { state: last(false), touched: last(true) }
}

async function inspectPart(
  reader: SegmentReader,
  { commit, part, replay }: { commit: number; part: Part; replay: StoreReplay },
  { onBytes, signal }: StoreInspectionOptions,
): Promise<PartFindings> {
  let [frames, items] = [0, 0]
  const erased = new Map<number, ErasedHere>()
  const { trusted, noBytes, faults } = await scanPart(reader, part, (frame) => {
    signal?.throwIfAborted()
    frames++
    items += frame.items.length
    replay.apply(part.segment, frame, commit)
    noteErased(erased, frame)
    onBytes(frame.sizeBytes)
  })
  const isFoldable = trusted && faults.every(({ item }) => item !== undefined)
  if (!isFoldable) replay.giveUp()
  const { fault: segmentFault } = await reader.open(part.folder, part.segment)
  return { trusted, noBytes, faults, frames, items, segmentFault, erased }
}

function noteErased(found: Map<number, ErasedHere>, { offset, items }: ScannedFrame): void {
  for (const [item, { erased }] of items.entries()) {
    if (!erased) continue
    const here = found.get(erased.by) ?? { items: 0, left: [] }
    found.set(erased.by, here)
    here.items++
    if (!erased.isGone) here.left.push({ offset, item })
  }
}

/** Carries commits from one journal to another, event by event, and notes what does not come along. */
import type { FrameItem } from '../log/frame.ts'
import { erasuresFolder } from '../log/names.ts'
import type { Part } from '../log/part.ts'
import type { LogCommit } from './commit-log.ts'
import { addRange } from './commit-ranges.ts'
import type { ScannedFrame } from './frame-scan.ts'
import type { Inspection, InspectionOptions } from './inspection.ts'
import { eventType } from './item-key.ts'
import { scanPart, type PartFault } from './part-scan.ts'
import type { Loss, RepairReport } from './repair-report.ts'
import type { RepairWriter } from './repair-writer.ts'
import type { SegmentReader } from './segment-reader.ts'

/** More lost commits than this are not stood in for. */
const mostPlaceholders = 100_000

export type Carried = Pick<RepairReport, 'commits' | 'items' | 'lost' | 'placeholders' | 'renumbered'>

interface Ways {
  inspection: Inspection
  reader: SegmentReader
  writer: RepairWriter
}

export async function carryCommits(ways: Ways, options: InspectionOptions): Promise<Carried> {
  return new Carrying(ways, options).run()
}

class Carrying {
  readonly #ways: Ways
  readonly #options: InspectionOptions
  readonly #totalBytes: number
  readonly #carried: Carried = { commits: 0, items: 0, lost: [], placeholders: [], renumbered: false }
  #bytes = 0

  constructor(ways: Ways, options: InspectionOptions) {
    this.#ways = ways
    this.#options = options
    this.#totalBytes = [...ways.inspection.stores.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  async run(): Promise<Carried> {
    const { inspection } = this.#ways
    for (const { kind, commits, fault } of inspection.damages.all) {
      if (kind === 'commits')
        for (const range of commits) this.#lose({ commits: range, what: 'commits', fault })
    }
    let last: LogCommit | undefined
    for (const commit of inspection.commits) {
      await this.#standIn(last, commit)
      await this.#carry(commit)
      last = commit
    }
    this.#carried.lost.sort((a, b) => a.commits[0] - b.commits[0])
    return this.#carried
  }

  /** Empty commits in the place of lost ones, so that all others keep their numbers. */
  async #standIn(before: LogCommit | undefined, commit: LogCommit): Promise<void> {
    const from = (before?.number ?? 0) + 1
    const to = commit.number - 1
    if (to < from) return
    if (to - from >= mostPlaceholders) {
      this.#carried.renumbered = true
      return
    }
    const timeMs = before?.timeMs ?? commit.timeMs
    for (let number = from; number <= to; number++) {
      const note = {
        message: `Commit ${number} could not be read when this journal was repaired`,
        metadata: { lost: true },
      }
      await this.#ways.writer.commit({ timeMs, kind: 'data', note, names: {} })
    }
    addRange(this.#carried.placeholders, [from, to])
  }

  async #carry(commit: LogCommit): Promise<void> {
    const { number, timeMs, kind, note, names, noteLost, noteFault = '' } = commit
    if (noteLost) this.#lose({ commits: [number, number], what: 'note', fault: noteFault })
    for (const part of commit.parts) await this.#carryPart(part, number)
    await this.#ways.writer.commit({ timeMs, kind, note, names })
    this.#carried.commits++
  }

  async #carryPart(part: Part, number: number): Promise<void> {
    const { inspection, reader, writer } = this.#ways
    const { folder } = part
    const isTrusted = !inspection.untrusted.has(part)
    const { faults } = await scanPart(reader, part, async (frame) => {
      this.#options.signal?.throwIfAborted()
      this.#bytes += frame.sizeBytes
      this.#options.onProgress?.({ bytes: this.#bytes, totalBytes: this.#totalBytes, phase: 'writing' })
      const items = isTrusted ? wholeItems(frame) : []
      if (items.length === 0 || isPlaceless(folder, frame)) return
      await writer.add(folder, { flags: frame.flags, head: frame.head, items })
      this.#carried.items += items.length
    })
    if (isTrusted) for (const fault of faults) this.#noteFault(folder, number, fault)
    else
      this.#lose({
        commits: [number, number],
        what: 'part',
        store: folder,
        fault: faults.at(-1)?.fault ?? '',
      })
  }

  #noteFault(store: string, number: number, { fault, item, items }: PartFault): void {
    const place = { commits: [number, number] satisfies Loss['commits'], store, fault }
    if (item === undefined) {
      this.#lose({ ...place, what: 'event', ...(items === undefined ? {} : { items }) })
      return
    }
    if (!item.isWhole) this.#lose({ ...place, what: 'item', ...item.named, item: item.at })
  }

  #lose(loss: Loss): void {
    this.#carried.lost.push(loss)
  }
}

/** Places in the old journal say nothing in the new one, where what stood there is not carried over. */
function isPlaceless(folder: string, frame: ScannedFrame): boolean {
  return folder === erasuresFolder && eventType(frame) === 'ItemsErased'
}

function wholeItems({ items }: ScannedFrame): FrameItem[] {
  const whole: FrameItem[] = []
  for (const item of items) if (item.whole) whole.push({ row: item.row!, payload: item.payload! })
  return whole
}

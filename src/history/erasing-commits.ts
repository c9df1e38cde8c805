/** Learns what was erased from what commits say of it, past any damage. */
import { erasureKind, tellingOf, type Telling } from '../journal/erasure-events.ts'
import { toEvent } from '../journal/read-events.ts'
import { erasuresFolder } from '../log/names.ts'
import type { Part } from '../log/part.ts'
import { toReadFrame } from './frame-scan.ts'
import { scanPart } from './part-scan.ts'
import type { SegmentReader } from './segment-reader.ts'

interface ErasingCommit {
  number: number
  parts: readonly Part[]
}

/** A commit whose own part is damaged explains nothing. */
export async function learnErasures(reader: SegmentReader, commits: readonly ErasingCommit[]): Promise<void> {
  const { erasures } = reader.files
  for (const { number, parts } of commits)
    for (const part of parts.filter(({ folder }) => folder === erasuresFolder))
      for (const tell of await tellingsOf(reader, part, number)) tell(erasures)
}

async function tellingsOf(reader: SegmentReader, part: Part, commit: number): Promise<Telling[]> {
  const tellings: Telling[] = []
  const { trusted } = await scanPart(reader, part, (frame) => {
    const place = { store: part.folder, segment: part.segment, offset: frame.offset, commit }
    const whole = frame.items.filter((item) => item.whole)
    const { type, items } = toEvent(erasureKind, toReadFrame({ ...frame, items: whole }), place)
    for (const { row } of items) tellings.push(tellingOf(type, row, commit))
  })
  return trusted ? tellings : []
}

/** The events about some keys, without reading those about others: as far as lists of what was touched tell where they are. */
import { readEventsAt, type ReadEvent } from '../journal/read-events.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import { touchedIntervals } from '../journal/touched-index.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { eventsOfStore, type CommitRange } from './commit-events.ts'
import type { KeyFamily } from './key-family.ts'
import { touchedBy } from './touched-keys.ts'

/** In order, each with the items that are about the family only. Throws `VARVE_CORRUPT`, `VARVE_NEWER`. */
export async function* eventsAbout(
  log: CommitLog,
  { folder, family, range }: { folder: string; family: KeyFamily; range: CommitRange },
): AsyncGenerator<ReadEvent> {
  const taken = (): AsyncGenerator<ReadEvent> =>
    takenBy(family, folder, eventsNear(log, folder, family, range))
  if (!family.canGrow) return yield* taken()
  let events: ReadEvent[]
  let size
  do {
    size = family.size
    events = []
    for await (const each of taken()) events.push(each)
  } while (family.size > size)
  yield* events
}

async function* takenBy(
  family: KeyFamily,
  folder: string,
  events: AsyncIterable<ReadEvent>,
): AsyncGenerator<ReadEvent> {
  for await (const { event, ...read } of events) {
    const items = touchedBy(folder, event).flatMap((each) => (family.takes(each, event) ? [each.item] : []))
    if (items.length > 0) yield { event: { ...event, items }, ...read }
  }
}

/** All but those that are known not to be about the family, as it is when they are come to. */
async function* eventsNear(
  log: CommitLog,
  folder: string,
  family: KeyFamily,
  { from, to }: CommitRange,
): AsyncGenerator<ReadEvent> {
  const isWanted = (row: Uint8Array): boolean => family.mayTake(row)
  let next = from
  for (const { touched, to: last } of await touchedIntervals(log, folder, { from, to })) {
    if (touched.after >= next)
      yield* eventsOfStore(log, folder, { from: next, to: Math.min(touched.after, to), isWanted })
    const places = family.places(touched, { from: next, to })
    yield* readEventsAt({ folder, kind: kindOf(folder) }, log.files, places, isWanted)
    next = Math.max(next, last + 1)
  }
  if (next <= to) yield* eventsOfStore(log, folder, { from: next, to, isWanted })
}

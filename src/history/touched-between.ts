/** Which keys of which stores the commits between two moments were about: all that can differ between them. */
import type { StoredEvent, StoreState } from '../journal/event.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import { readCommits } from '../journal/read-commit.ts'
import type { DocumentState } from '../stores/document-state.ts'
import type { VectorState } from '../stores/vector-state.ts'
import { eventsOf, type CommitRange, type ReadAheads } from './commit-events.ts'
import { fromText, toText, type KeyText } from './history-key.ts'
import { everyKey, touchedBy } from './touched-keys.ts'

export type LoadState = (folder: string) => Promise<StoreState>

interface TouchedOptions {
  /** The states that the first of the commits found, for what an event does to keys that it does not name. */
  before: LoadState
  only?: ReadonlySet<string> | undefined
  /** Is told of each event, for those who ask more of them. */
  onEvent?: (folder: string, event: StoredEvent) => void
}

/** By folder. */
export async function touchedBetween(
  log: CommitLog,
  { from, to }: CommitRange,
  { before, only, onEvent }: TouchedOptions,
): Promise<Map<string, Set<KeyText>>> {
  const touched = new Map<string, Set<KeyText>>()
  const aheads: ReadAheads = new Map()
  for await (const { summary } of readCommits(log, from, to)) {
    for await (const { folder, event } of eventsOf(log, summary, { folders: only, aheads })) {
      const keys = touched.get(folder) ?? new Set<KeyText>()
      touched.set(folder, keys)
      onEvent?.(folder, event)
      for (const each of touchedBy(folder, event)) {
        if (each.keys !== everyKey) for (const key of each.keys) keys.add(key)
        else addAll((await before(folder)) as VectorState, keys)
      }
    }
  }
  for (const [folder, keys] of touched)
    if (folder.startsWith('docstore')) addSources((await before(folder)) as DocumentState, keys)
  return touched
}

/** The same for one commit in one store, given what it found there. */
export function touchedWithin(
  folder: string,
  events: readonly StoredEvent[],
  before: StoreState,
): Set<KeyText> {
  const touched = new Set<KeyText>()
  for (const { keys } of events.flatMap((event) => touchedBy(folder, event))) {
    if (keys === everyKey) addAll(before as VectorState, touched)
    else for (const key of keys) touched.add(key)
  }
  if (folder.startsWith('docstore')) addSources(before as DocumentState, touched)
  return touched
}

function addAll({ vectors }: VectorState, keys: Set<KeyText>): void {
  for (const id of vectors.keys()) keys.add(toText(id))
}

/** A node that goes takes its ref doc along, if it was the last of it; and that its own node. */
function addSources({ records }: DocumentState, keys: Set<KeyText>): void {
  for (const key of keys) {
    const refDocId = records.get(fromText(key) as string)?.refDocId
    if (refDocId !== undefined) keys.add(toText(refDocId))
  }
}

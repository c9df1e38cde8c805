/** Which keys of which stores the commits between two moments were about: all that can differ between them. */
import type { StoredEvent, StoreState } from '../journal/event.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import { readCommits } from '../journal/read-commit.ts'
import type { ReadEvent } from '../journal/read-events.ts'
import type { DocumentState } from '../stores/document-state.ts'
import type { VectorState } from '../stores/vector-state.ts'
import { eventsOf, type CommitRange, type ReadAheads } from './commit-events.ts'
import { fromText, toText, type KeyText } from './history-key.ts'
import { stateAbout } from './state-about.ts'
import { everyKey, touchedBy } from './touched-keys.ts'

interface TouchedOptions {
  only?: ReadonlySet<string> | undefined
  /** Is told of each event, for those who ask more of them. */
  onEvent?: (folder: string, read: ReadEvent) => void
}

/** In one store. */
export interface Touched {
  keys: ReadonlySet<KeyText>
  /** What the first of the commits found, as far as these keys go. */
  before: () => Promise<StoreState>
}

/** By folder. */
export async function touchedBetween(
  log: CommitLog,
  { from, to }: CommitRange,
  { only, onEvent }: TouchedOptions = {},
): Promise<Map<string, Touched>> {
  const named = new Map<string, NamedKeys>()
  const aheads: ReadAheads = new Map()
  for await (const { summary } of readCommits(log, from, to)) {
    for await (const { folder, ...read } of eventsOf(log, summary, { folders: only, aheads })) {
      const own = named.get(folder) ?? { keys: new Set(), isAll: false }
      named.set(folder, own)
      onEvent?.(folder, read)
      for (const each of touchedBy(folder, read.event)) {
        if (each.keys === everyKey) own.isAll = true
        else for (const key of each.keys) own.keys.add(key)
      }
    }
  }
  const touched = new Map<string, Touched>()
  for (const [folder, own] of named)
    touched.set(folder, await withUnnamed(own, folder, (keys) => stateAbout(log, folder, keys, from - 1)))
  return touched
}

/** Those that events name, and whether there was one that is about all there are. */
interface NamedKeys {
  keys: Set<KeyText>
  isAll: boolean
}

/** Some events do more than they name: what, only the state tells that they found. */
async function withUnnamed(
  { keys, isAll }: NamedKeys,
  folder: string,
  load: (keys: ReadonlySet<KeyText> | typeof everyKey) => Promise<StoreState>,
): Promise<Touched> {
  if (isAll) {
    const state = await load(everyKey)
    addAll(state as VectorState, keys)
    return { keys, before: async () => state }
  }
  if (!folder.startsWith('docstore')) return { keys, before: () => load(keys) }
  const state = await load(keys) // It knows the ref docs of these, too.
  while (addSources(state as DocumentState, keys)) continue
  return { keys, before: async () => state }
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
  if (folder.startsWith('docstore')) while (addSources(before as DocumentState, touched)) continue
  return touched
}

function addAll({ vectors }: VectorState, keys: Set<KeyText>): void {
  for (const id of vectors.keys()) keys.add(toText(id))
}

/** A node that goes takes its ref doc along, if it was the last of it; and that its own node. Answers whether there are more keys now, whose own may be missing. */
function addSources({ records }: DocumentState, keys: Set<KeyText>): boolean {
  const { size } = keys
  const sources = Array.from(keys, (key) => records.get(fromText(key) as string)?.refDocId)
  for (const refDocId of sources) if (refDocId !== undefined) keys.add(toText(refDocId))
  return keys.size > size
}

/** What a store held at one moment, as far as some keys go: its snapshot before that moment, and of the commits since then only what is about them. */
import { emptyStore, foldStored, storeFromSnapshot, type FoldedStore } from '../journal/folded-store.ts'
import type { StoreState } from '../journal/event.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import { listSnapshots } from '../journal/snapshot.ts'
import { storeSource } from '../journal/store-source.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { eventsOfStore } from './commit-events.ts'
import { eventsAbout } from './events-about.ts'
import type { KeyText } from './history-key.ts'
import { KeyFamily } from './key-family.ts'
import { everyKey } from './touched-keys.ts'

/** When commit `number` was the last, 0: before the first. What it says of other keys may be out of date. */
export async function stateAbout(
  log: CommitLog,
  folder: string,
  keys: Iterable<KeyText> | typeof everyKey,
  number: number,
): Promise<StoreState> {
  const store = await nearestSnapshot(log, folder, number)
  const range = { from: store.snapshot + 1, to: number }
  const events =
    keys === everyKey
      ? eventsOfStore(log, folder, range)
      : eventsAbout(log, { folder, range, family: new KeyFamily(folder, keys, store.state) })
  for await (const { event, rowsBytes, place } of events) foldStored(store, event, rowsBytes, place)
  return store.state
}

/** The newest up to a moment; an empty store where there is none. */
async function nearestSnapshot(log: CommitLog, folder: string, number: number): Promise<FoldedStore> {
  const { disk, directory } = log.files
  const [store, source] = [emptyStore(folder, kindOf(folder)), storeSource(log, folder)]
  for (const { commit, subject } of await listSnapshots(disk, directory)) {
    if (subject !== folder || commit > number) continue
    const found = await storeFromSnapshot(store, source, commit)
    if (found) return found
  }
  return store
}

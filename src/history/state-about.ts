/** What a store held at one moment, as far as some keys go: its snapshot before that moment, and of the commits since then only what is about them. */
import { emptyStore, fillFromSnapshot, foldStored, type FoldedStore } from '../journal/folded-store.ts'
import type { StoreState } from '../journal/event.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import { listSnapshots } from '../journal/snapshot.ts'
import { UnusableSnapshot } from '../journal/snapshot-pages.ts'
import { storeSource } from '../journal/store-source.ts'
import { indexFolder } from '../stores/index-store.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { eventsOfStore, type CommitRange } from './commit-events.ts'
import { eventsAbout } from './events-about.ts'
import { fromText, type KeyText } from './history-key.ts'
import { KeyFamily } from './key-family.ts'
import { rowsOf } from './stored-value.ts'
import { everyKey } from './touched-keys.ts'

type WantedKeys = ReadonlySet<KeyText> | typeof everyKey

/** For more keys almost every page would be read, one by one: to read the whole at once costs less. */
const mostLookedAt = 1000

/**
 * When commit `number` was the last, 0: before the first. What it says of other keys may be out of date, and of its snapshot no more may be there than what stands
 * under these and under what is of their family: `UnusableSnapshot` is thrown at whoever looks elsewhere.
 */
export async function stateAbout(
  log: CommitLog,
  folder: string,
  keys: WantedKeys,
  number: number,
): Promise<StoreState> {
  const source = storeSource(log, folder)
  for (const start of await startsFor(log, folder, keys, number)) {
    const store = emptyStore(folder, kindOf(folder))
    try {
      await fillFromSnapshot(store, source, start)
      await foldAbout(log, store, keys, { from: start.commit + 1, to: number })
      return store.state
    } catch (error) {
      if (!(error instanceof UnusableSnapshot)) throw error
    } finally {
      await store.unread?.close()
    }
  }
  const store = emptyStore(folder, kindOf(folder))
  await foldAbout(log, store, keys, { from: 1, to: number })
  return store.state
}

/** The snapshots until then, the newest first. Each is looked at first, and read whole where that fails, or is not enough: of an index struct all entries may be asked for, and later. */
async function startsFor(
  { files: { disk, directory } }: CommitLog,
  folder: string,
  keys: WantedKeys,
  number: number,
): Promise<{ commit: number; whole: boolean }[]> {
  const isWhole = keys === everyKey || keys.size > mostLookedAt || folder === indexFolder
  const ways = isWhole ? [true] : [false, true]
  const snapshots = await listSnapshots(disk, directory)
  return snapshots
    .filter(({ commit, subject }) => subject === folder && commit <= number)
    .flatMap(({ commit }) => ways.map((whole) => ({ commit, whole })))
}

/** Afterwards all that stands under the keys is there. */
async function foldAbout(
  log: CommitLog,
  store: FoldedStore,
  keys: WantedKeys,
  range: CommitRange,
): Promise<void> {
  const { folder, state } = store
  const family = keys === everyKey ? undefined : new KeyFamily(folder, keys, state)
  const events = family ? eventsAbout(log, { folder, range, family }) : eventsOfStore(log, folder, range)
  for await (const { event, rowsBytes, place } of events) foldStored(store, event, rowsBytes, place)
  if (!store.unread || !family) return
  for (const key of family.keys()) rowsOf(folder, state, fromText(key))
}

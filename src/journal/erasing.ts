/**
 * Erasing: one commit says which items are erased and sets anew what must stay, and from then on nobody reads them; then their bytes are
 * overwritten, and a second commit says that this is done. A writer that finds no such end completes it.
 */
import { isDiskFull } from '../disk/disk-errors.ts'
import { VarveError } from '../errors.ts'
import { saltedDigest, type ErasedItems } from '../log/erasures.ts'
import type { Commit, CommitNote } from './commit.ts'
import { displaced } from './commit-queue.ts'
import { erasuresFinished, idsErased, itemsErased } from './erasure-events.ts'
import type { EventInput } from './event.ts'
import type { Fold } from './fold.ts'
import { folded, type FoldedStore } from './folded-store.ts'
import type { Outbox } from './outbox.ts'
import { overwriteErased } from './overwrite.ts'
import type { Pending } from './pending.ts'
import type { Session } from './session.ts'
import { allParts, storeSource } from './store-source.ts'

export interface ErasurePlan {
  items: readonly ErasedItems[]
  /** What a reader of the past is told of: kept as salted hashes. */
  ids: ReadonlySet<string>
  /** Events that make a store, once it is without the items, what it is to be. Nobody else may change it meanwhile. */
  restating: (folder: string, without: FoldedStore['state']) => Promise<Iterable<EventInput>>
}

interface Parts {
  pending: Pending
  fold: Fold
  outbox: Outbox
  random: (target: Uint8Array) => void
  /** Drops everything pending. */
  rollback: () => Promise<void>
}

/** Nothing may be pending, and nobody else may write. Resolves when the erase commit is durable; `overwritten` must follow. */
export async function commitErasure(
  session: Session,
  { items, ids, restating }: ErasurePlan,
  { note, fold, pending, outbox, random, rollback }: Parts & { note: CommitNote },
): Promise<Commit> {
  const { catalog, files, queue, ledger } = session
  await queue.sync() // What is erased must be known to be durable, or recovery would look for its bytes.
  const before = new Map<string, FoldedStore>()
  for (const folder of new Set(items.map((erased) => erased.folder)))
    before.set(folder, await fold.load(folder, storeSource(session, folder)))
  const committed = await allParts(session)
  const number = catalog.end.number + 1
  for (const erased of items) files.erasures.addItems(number, erased)
  const replaced: FoldedStore[] = []
  try {
    for (const [folder, was] of before) {
      const store = await folded(fold.empty(folder), files, committed.get(folder) ?? [])
      const events = await restating(folder, store.state)
      replaced.push(was)
      fold.replace(store)
      for (const event of events) pending.append(store, event)
    }
    const salt = new Uint8Array(16)
    random(salt)
    const said = ledger.changes([itemsErased(items), idsErased(ids, salt)])
    const [restated] = outbox.take('erase', note)
    const commit = await queue.push({
      kind: 'erase',
      note,
      changes: {
        stores: [...(restated?.changes.stores ?? []), ...said.stores],
        bytes: said.bytes + (restated?.changes.bytes ?? 0),
      },
      names: restated?.names ?? {},
    })
    for (const id of ids) files.erasures.addId(number, salt, saltedDigest(salt, id))
    return commit
  } catch (error) {
    await rollback()
    ledger.rollback()
    files.erasures.forget(number)
    for (const store of replaced) fold.replace(store)
    throw error
  }
}

/** Completes what erase commits began. Throws `VARVE_DISK_FULL`, after which it may be repeated. */
export async function finishErasures(session: Session): Promise<void> {
  const { files, queue, lock, ledger } = session
  const { unfinished, through } = files.erasures
  if (unfinished.size === 0) return
  try {
    await queue.ready() // What a dead writer left unsynced is durable before anything is overwritten for it.
    await queue.flush()
    await overwriteErased(session, unfinished, async () => {
      if (!(await lock.stillHeld())) throw displaced()
    })
  } catch (cause) {
    if (cause instanceof VarveError && cause.code === 'VARVE_CORRUPT') throw cause
    if (!isDiskFull(cause)) throw await queue.fail(cause)
    throw new VarveError('VARVE_DISK_FULL', 'The disk is full; what was erased is not overwritten yet.', {
      cause,
      remedy: 'Free some space and call erase() again, or open and write anything: that completes it.',
    })
  }
  session.lacksSnapshots = true
  try {
    const changes = ledger.changes([erasuresFinished(through)])
    await queue.push({ kind: 'erase finished', note: {}, changes, names: {} })
  } catch (error) {
    ledger.rollback()
    throw error
  }
  await queue.sync()
  files.erasures.finish(through)
}

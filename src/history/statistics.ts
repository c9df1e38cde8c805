/** How much a directory holds, and how much of it the present still needs. */
import { encode } from '../journal/codec.ts'
import { toCommit, type Commit } from '../journal/commit.ts'
import type { StoreState } from '../journal/event.ts'
import type { Home } from '../journal/home.ts'
import { catalogSubject } from '../journal/snapshot.ts'
import { touchedSubject } from '../journal/touched-index.ts'
import { cellOverheadBytes, tableEntryBytes } from '../log/frame.ts'
import { commitsFolder, erasuresFolder, joinPath, parseSnapshotName, snapshotsFolder } from '../log/names.ts'
import { segmentHeaderBytes } from '../log/segment.ts'
import { emptyIfMissing } from '../log/segment-files.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { heldState, keysIn } from './held-state.ts'
import { storeOf } from './history-key.ts'

export interface DirectoryStatistics {
  directory: string
  journal: { id: string; created: string }
  commits: number
  tags: number
  oldest: Commit
  newest: Commit
  stores: StoreStatistics[]
  /** Of the commit log, and of the catalog's snapshots. */
  commitLog: Omit<StoreStatistics, 'store' | 'keys' | 'liveBytes'>
}

export interface StoreStatistics {
  store: string
  /** That hold something now. */
  keys: number
  /** About what the present would take if it were written anew. */
  liveBytes: number
  /** That commits name, of the past and the present. */
  bytes: number
  segments: number
  snapshots: number
  snapshotBytes: number
  /** The number of the last commit that touched it. */
  lastCommit: number
}

/** Takes no lock. `home` has a commit, at least. */
export async function statisticsOf(home: Home): Promise<DirectoryStatistics> {
  const { catalog, manifest, directory, files } = home
  const { end } = catalog
  const snapshots = await snapshotsBySubject(home)
  const stores: StoreStatistics[] = []
  for (const [folder, { segments, lastCommit }] of catalog.stores) {
    if (folder === erasuresFolder) continue
    const { state } = await heldState(home, folder)
    stores.push({
      store: storeOf(folder, catalog),
      keys: countOf(keysIn(folder, state)),
      liveBytes: liveBytes(folder, state),
      bytes: [...segments.values()].reduce((sum, to) => sum + to - segmentHeaderBytes, 0),
      segments: segments.size,
      ...snapshots([folder, touchedSubject(folder)]),
      lastCommit,
    })
  }
  const log = { segments: 0, bytes: 0 }
  for (const segment of await files.numbers(commitsFolder)) {
    log.segments++
    log.bytes += (await files.disk.stat(files.path(commitsFolder, segment)))?.sizeBytes ?? 0
  }
  return {
    directory,
    journal: { id: manifest.id, created: manifest.created },
    commits: end.number,
    tags: catalog.tags.size,
    oldest: toCommit(await home.commit(1)),
    newest: toCommit(await home.commit(end.number)),
    stores,
    commitLog: { ...log, ...snapshots([catalogSubject]), lastCommit: end.number },
  }
}

type SnapshotCount = Pick<StoreStatistics, 'snapshots' | 'snapshotBytes'>

async function snapshotsBySubject({
  files: { disk, directory },
}: Home): Promise<(subjects: readonly string[]) => SnapshotCount> {
  const found: { subject: string; sizeBytes: number }[] = []
  const folder = joinPath(directory, snapshotsFolder)
  for (const name of await disk.list(folder).catch(emptyIfMissing)) {
    const subject = parseSnapshotName(name)?.subject
    const status = subject === undefined ? undefined : await disk.stat(joinPath(folder, name))
    if (subject !== undefined && status) found.push({ subject, sizeBytes: status.sizeBytes }) // Else a writer removed it.
  }
  return (subjects) => {
    const own = found.filter(({ subject }) => subjects.includes(subject))
    return { snapshots: own.length, snapshotBytes: own.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }
  }
}

/** No payload is read for it: its length stands in the state. */
function liveBytes(folder: string, state: StoreState): number {
  let bytes = 0
  for (const { items } of kindOf(folder).present(state, ({ length }) => new Uint8Array(length)))
    for (const { row, payload } of items)
      bytes += tableEntryBytes + cellOverheadBytes + encode(row).length + (payload?.length ?? 0)
  return bytes
}

function countOf(keys: Iterable<unknown>): number {
  let count = 0
  for (const _ of keys) count++
  return count
}

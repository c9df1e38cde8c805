/**
 * Makes snapshots anew that an erase took: those of the past that catalogs name, from the log as it is without what was erased, so that the past opens
 * as fast as before.
 */
import { Catalog } from './catalog.ts'
import { tryDecode } from './codec.ts'
import { foldStored, type FoldedStore } from './folded-store.ts'
import { readEvents } from './read-events.ts'
import type { CommitLog } from './read-commit.ts'
import { catalogSubject, knownErasures, listSnapshots, readSnapshot, type Sections } from './snapshot.ts'
import { partsBetween } from './store-source.ts'
import { builtInSlices } from './table.ts'
import { TouchedTexts } from './touched-index.ts'

/** By folder, the commits of the snapshots that some catalog names and that are not there, ascending. */
export async function missingSnapshots({ files, catalog }: CommitLog): Promise<Map<string, number[]>> {
  const { disk, directory, journalId } = files
  const names = await listSnapshots(disk, directory)
  const isThere = new Set(names.map(({ subject, commit }) => `${commit} ${subject}`))
  const missing = new Map<string, Set<number>>()
  const note = ({ stores }: Catalog): void => {
    for (const [folder, { snapshot }] of stores)
      if (snapshot > 0 && !isThere.has(`${snapshot} ${folder}`))
        missing.set(folder, (missing.get(folder) ?? new Set()).add(snapshot))
  }
  note(catalog)
  for (const { subject, commit } of names) {
    if (subject !== catalogSubject || commit > catalog.end.number) continue
    const found = await readSnapshot(disk, directory, { journalId, subject, commit })
    const section = found?.sections.get(catalogSubject)
    const named = section && Catalog.fromPlain(tryDecode(section))
    if (named) note(named)
  }
  return new Map(
    Array.from(missing, ([folder, commits]) => [folder, Array.from(commits).toSorted((a, b) => a - b)]),
  )
}

export interface RemadeSnapshot {
  commit: number
  sections: Sections
  /** Beside it: of the commits since the one before. */
  touched: Sections
  /** What was folded until then. */
  rowsBytes: number
}

/** Those of one store, which is empty yet, at some commits, ascending. Throws `VARVE_CORRUPT`, `VARVE_NEWER`. */
export async function* remadeSnapshots(
  log: CommitLog,
  store: FoldedStore,
  commits: readonly number[],
): AsyncGenerator<RemadeSnapshot> {
  const known = log.files.erasures.through
  const texts = new TouchedTexts()
  const left = [...commits]
  let after = 0
  const next = async (): Promise<RemadeSnapshot> => {
    const commit = left.shift()!
    const touched = texts.toSections(after)
    after = commit
    return { commit, sections: await sectionsOf(store, known), touched, rowsBytes: store.rowsBytes }
  }
  const parts = await partsBetween(log, store.folder, { from: 1, to: commits.at(-1) ?? 0 })
  for await (const { event, rowsBytes, place } of readEvents(store, log.files, parts)) {
    while (left[0]! < place.commit) yield next()
    foldStored(store, event, rowsBytes, place)
    texts.begin(place)
    for (const { row } of event.items) texts.add(row)
  }
  while (left.length > 0) yield next()
}

async function sectionsOf({ state }: FoldedStore, known: number): Promise<Sections> {
  const sections: Sections = new Map([knownErasures(known)])
  for (const [name, table] of Object.entries(state)) {
    const bytes = await builtInSlices(table.freeze())
    table.settle(bytes)
    sections.set(name, bytes)
  }
  return sections
}

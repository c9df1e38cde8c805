/** Takes up commit after commit, and says whether a snapshot of the catalog is what they come to: as long as none is lost. */
import { isDeepStrictEqual } from 'node:util'
import { Catalog, type CommittedParts } from '../journal/catalog.ts'
import { decode } from '../journal/codec.ts'
import { catalogSubject, type Sections } from '../journal/snapshot.ts'
import { isSamePart } from '../log/part.ts'
import { noCommit } from '../log/recovery.ts'
import type { LogCommit } from './commit-log.ts'
import type { VerifiedSnapshot } from './verify-report.ts'

export class CatalogReplay {
  readonly #catalog = new Catalog()

  apply(commit: LogCommit): void {
    const { segment, offset, number, hash } = commit
    this.#catalog.apply(commit, { ...noCommit, number, hash }, { segment, offset })
  }

  stateOf(sections: Sections): VerifiedSnapshot['state'] {
    const section = sections.get(catalogSubject)
    if (!section) return 'unreadable'
    const catalog = Catalog.fromPlain(decode(section))
    if (!catalog) return 'unreadable'
    return isSameCatalog(catalog, this.#catalog) ? 'equal' : 'differs'
  }
}

function isSameCatalog(snapshot: Catalog, replayed: Catalog): boolean {
  const isSamePlace = (offset: number, at: number): boolean => offset === replayed.offsets[at]
  if (snapshot.offsets.length !== replayed.offsets.length || !snapshot.offsets.every(isSamePlace))
    return false
  if (snapshot.stores.size !== replayed.stores.size) return false
  if (!isDeepStrictEqual(snapshot.tags, replayed.tags)) return false
  return [...snapshot.stores].every(([folder, { name, segments, snapshot: through, tail }]) => {
    const entry = replayed.stores.get(folder)
    if (!entry || name !== entry.name) return false
    const ends = (all: ReadonlyMap<number, number>): string =>
      JSON.stringify([...all].toSorted(([a], [b]) => a - b))
    const later = entry.tail.filter(({ commit }) => commit > through)
    return ends(segments) === ends(entry.segments) && isSameTail(tail, later)
  })
}

function isSameTail(snapshot: readonly CommittedParts[], replayed: readonly CommittedParts[]): boolean {
  if (snapshot.length !== replayed.length) return false
  return snapshot.every(({ commit, parts }, index) => {
    const other = replayed[index]!
    if (commit !== other.commit || parts.length !== other.parts.length) return false
    return parts.every((part, at) => isSamePart(part, other.parts[at]!))
  })
}

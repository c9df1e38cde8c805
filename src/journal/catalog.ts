/**
 * What the commits say without any event: where each store's bytes are, and where each commit stands. It is
 * to the commit log what a state is to a store's log.
 */
import type { ChainEnd, FoundCommit, LogPlace } from '../log/recovery.ts'
import { noCommit } from '../log/recovery.ts'
import type { Part } from '../log/part.ts'
import type { CommitKind, CommitNote, TagChange } from './commit.ts'
import { partFromPlain, partToPlain, plainPart, storeFolder, type PlainPart } from './plain-part.ts'
import { bytes, count, digest, either, listOf, orNull, positive, text, tuple } from './shape.ts'

/** Parts of one commit in one store. */
export interface CommittedParts {
  commit: number
  parts: Part[]
}

export interface StoreEntry {
  /** The namespace's true name, where the folder is only its hash. */
  name?: string
  /** From segment number to the end of its accepted bytes. */
  segments: Map<number, number>
  /** The commit of the store's newest snapshot; 0: none. */
  snapshot: number
  /** What is committed after that snapshot. */
  tail: CommittedParts[]
  /** The last commit that named the store; 0: unknown. */
  lastCommit: number
}

export interface CommitSummary {
  number: number
  hash: Uint8Array
  previous: Uint8Array
  timeMs: number
  kind: CommitKind
  note: CommitNote
  names: Record<string, string>
  tag?: TagChange | undefined
  parts: Part[]
}

/** Of some commits those that hold anything of a store, with what they hold of it. */
export function committedIn(
  folder: string,
  commits: Iterable<Pick<CommitSummary, 'number' | 'parts'>>,
): CommittedParts[] {
  return Array.from(commits, ({ number, parts }) => ({
    commit: number,
    parts: parts.filter((part) => part.folder === folder),
  })).filter(({ parts }) => parts.length > 0)
}

export class Catalog {
  end: ChainEnd = noCommit
  lastTimeMs = 0
  readonly stores = new Map<string, StoreEntry>()
  /** Segment and offset of commit n at 2 × (n - 1). */
  readonly offsets: number[] = []
  /** Which commit each tag names. */
  readonly tags = new Map<string, number>()

  /** Takes up a commit that is accepted, or one that is about to be written. */
  apply(commit: CommitSummary, end: ChainEnd, place: FoundCommit['place']): void {
    this.end = end
    this.lastTimeMs = commit.timeMs
    this.offsets.push(place.segment, place.offset)
    const byFolder = new Map<string, Part[]>()
    for (const part of commit.parts) {
      const parts = byFolder.get(part.folder)
      if (parts) parts.push(part)
      else byFolder.set(part.folder, [part])
    }
    for (const [folder, parts] of byFolder) {
      const store = this.store(folder)
      for (const part of parts) store.segments.set(part.segment, part.to)
      store.tail.push({ commit: commit.number, parts })
      store.lastCommit = commit.number
    }
    for (const [folder, name] of Object.entries(commit.names)) this.store(folder).name = name
    if (commit.tag?.commit !== undefined) this.tags.set(commit.tag.name, commit.tag.commit)
    else if (commit.tag) this.tags.delete(commit.tag.name)
  }

  /** Where a commit stands; it must be one of these. */
  placeOf(number: number): LogPlace {
    const [segment, offset] = this.offsets.slice((number - 1) * 2, number * 2)
    return { segment: segment!, offset: offset! }
  }

  store(folder: string): StoreEntry {
    let entry = this.stores.get(folder)
    if (!entry) {
      entry = { segments: new Map(), snapshot: 0, tail: [], lastCommit: 0 }
      this.stores.set(folder, entry)
    }
    return entry
  }

  /**
   * The last commit of a store stands in the commit log's newest segment. If it does not, a writer that was displaced since may still have the store's
   * segment open, and write into it.
   */
  isCurrent(folder: string): boolean {
    const lastCommit = this.stores.get(folder)?.lastCommit ?? 0
    return lastCommit > 0 && this.offsets[(lastCommit - 1) * 2] === this.end.next.segment
  }

  /** One that changes by itself. */
  copy(): Catalog {
    const catalog = new Catalog()
    catalog.end = this.end
    catalog.lastTimeMs = this.lastTimeMs
    for (const [folder, { segments, tail, ...entry }] of this.stores)
      catalog.stores.set(folder, { ...entry, segments: new Map(segments), tail: tail.slice() })
    for (const place of this.offsets) catalog.offsets.push(place)
    for (const [name, commit] of this.tags) catalog.tags.set(name, commit)
    return catalog
  }

  toPlain(): unknown {
    const { number, hash, next } = this.end
    const stores = [...this.stores].map(([folder, { name, segments, snapshot, tail, lastCommit }]) => [
      folder,
      name ?? null,
      [...segments].flat(),
      snapshot,
      tail.map(({ commit, parts }) => [commit, parts.map(partToPlain)]),
      lastCommit,
    ])
    return [
      number,
      hash,
      next.segment,
      next.offset,
      this.lastTimeMs,
      stores,
      new Uint8Array(Float64Array.from(this.offsets).buffer),
      [...this.tags],
    ]
  }

  /** `undefined` for what no version wrote. */
  static fromPlain(plain: unknown): Catalog | undefined {
    if (!isCatalog(plain)) return undefined
    const [number, hash, segment, offset, lastTimeMs, stores, offsets, tags = []] = plain as PlainCatalog
    if (offsets.length !== number * 16 || !stores.every((store) => isWithin(store, number))) return undefined
    const catalog = new Catalog()
    catalog.end = { number, hash, next: { segment, offset }, closed: false }
    catalog.lastTimeMs = lastTimeMs
    for (const [folder, name, segments, snapshot, tail, lastCommit] of stores) {
      const entry: StoreEntry = {
        segments: new Map(),
        snapshot,
        tail: tail.map(([commit, parts]) => ({
          commit,
          parts: parts.map((part) => partFromPlain(folder, part)),
        })),
        lastCommit,
      }
      if (name !== null) entry.name = name
      for (let i = 0; i < segments.length; i += 2) entry.segments.set(segments[i]!, segments[i + 1]!)
      catalog.stores.set(folder, entry)
    }
    for (const place of new Float64Array(new Uint8Array(offsets).buffer)) catalog.offsets.push(place)
    for (const [name, commit] of tags) catalog.tags.set(name, commit)
    return catalog.offsets.every(count) ? catalog : undefined
  }
}

type PlainStore = [
  folder: string,
  name: string | null,
  segments: number[],
  snapshot: number,
  tail: [number, PlainPart[]][],
  lastCommit: number,
]
type PlainCatalog = [
  number: number,
  hash: Uint8Array,
  segment: number,
  offset: number,
  lastTimeMs: number,
  stores: PlainStore[],
  offsets: Uint8Array,
  tags?: [name: string, commit: number][],
]

const isStore = tuple(
  storeFolder,
  orNull(text),
  listOf(count),
  count,
  listOf(tuple(count, listOf(plainPart))),
  count,
)
const untagged = [positive, digest, count, count, count, listOf(isStore), bytes]
const isCatalog = either(tuple(...untagged, listOf(tuple(text, positive))), tuple(...untagged))

/** It speaks of no commit after the catalog's own, and its segments have ends. */
function isWithin([, , segments, snapshot, tail, lastCommit]: PlainStore, last: number): boolean {
  const commits = [snapshot, lastCommit, ...tail.map(([commit]) => commit)]
  return segments.length % 2 === 0 && commits.every((commit) => commit <= last)
}

/**
 * Which items were erased, by which commits: they are as if they had never been, whatever their bytes say. It knows places and
 * digests; what the commits look like is not its question.
 */
import { createHash } from 'node:crypto'

/** Items of one frame. */
export interface ErasedItems {
  folder: string
  segment: number
  /** Where the frame begins. */
  offset: number
  items: readonly number[]
}

/** From an item's place in its frame to the commit that erased it. */
export type ErasedInFrame = ReadonlyMap<number, number>

/** By the offset of a frame, what is erased in it. */
export type ErasedAt = (offset: number) => ErasedInFrame | undefined

interface SaltedIds {
  commit: number
  salt: Uint8Array
  digests: Set<string>
}

export class Erasures {
  readonly #commits: number[] = []
  /** Commits whose items may still hold their bytes. */
  readonly unfinished = new Set<number>()
  readonly #frames = new Map<string, Map<number, Map<number, number>>>()
  readonly #folders = new Map<string, Set<number>>()
  readonly #ids: SaltedIds[] = []

  /** The last commit that erased anything; 0: none. */
  get through(): number {
    return this.#commits.at(-1) ?? 0
  }

  /** This commit erased something. */
  has(commit: number): boolean {
    return this.#commits.includes(commit)
  }

  addItems(commit: number, { folder, segment, offset, items }: ErasedItems): void {
    this.#begin(commit)
    const key = `${folder}/${segment}`
    const frames = this.#frames.get(key) ?? new Map<number, Map<number, number>>()
    this.#frames.set(key, frames)
    const frame = frames.get(offset) ?? new Map<number, number>()
    frames.set(offset, frame)
    for (const item of items) if (!frame.has(item)) frame.set(item, commit)
    this.#folders.set(folder, (this.#folders.get(folder) ?? new Set()).add(commit))
  }

  addId(commit: number, salt: Uint8Array, digest: Uint8Array): void {
    this.#begin(commit)
    const isSame = (known: SaltedIds): boolean => Buffer.from(known.salt).equals(salt)
    let ids = this.#ids.find((known) => known.commit === commit && isSame(known))
    if (!ids) this.#ids.push((ids = { commit, salt, digests: new Set() }))
    ids.digests.add(Buffer.from(digest).toString('hex'))
  }

  /** Everything that was erased up to this commit is overwritten. */
  finish(through: number): void {
    for (const commit of this.unfinished) if (commit <= through) this.unfinished.delete(commit)
  }

  in(folder: string, segment: number): ErasedAt {
    const frames = this.#frames.get(`${folder}/${segment}`)
    return (offset) => frames?.get(offset)
  }

  /** Segments with the offsets of their frames, as far as one of these commits erased something there. */
  *places(commits: ReadonlySet<number>): Generator<{ folder: string; segment: number; offsets: number[] }> {
    for (const [key, frames] of this.#frames) {
      const slash = key.lastIndexOf('/')
      const offsets = Array.from(frames)
        .filter(([, items]) => Array.from(items.values()).some((commit) => commits.has(commit)))
        .map(([offset]) => offset)
      if (offsets.length > 0)
        yield {
          folder: key.slice(0, slash),
          segment: Number(key.slice(slash + 1)),
          offsets: offsets.toSorted((a, b) => a - b),
        }
    }
  }

  /** The last frame with anything erased that begins at or before a place. */
  frameBefore(folder: string, segment: number, offset: number): number | undefined {
    let found: number | undefined
    for (const start of this.#frames.get(`${folder}/${segment}`)?.keys() ?? [])
      if (start <= offset && start > (found ?? -1)) found = start
    return found
  }

  /** What was folded from a store up to a commit holds what a later one erased; `by`: what one of these erased. */
  spoils(folder: string, commit: number, by?: ReadonlySet<number>): boolean {
    return Array.from(this.#folders.get(folder) ?? []).some(
      (erasing) => erasing > commit && (by?.has(erasing) ?? true),
    )
  }

  /** The last commit that erased an id. */
  commitOfId(id: string): number | undefined {
    return this.#ids
      .filter(({ salt, digests }) => digests.has(Buffer.from(saltedDigest(salt, id)).toString('hex')))
      .at(-1)?.commit
  }

  /** It did not come about. */
  forget(commit: number): void {
    for (const frames of this.#frames.values())
      for (const items of frames.values())
        for (const [item, by] of items) if (by === commit) items.delete(item)
    for (const commits of this.#folders.values()) commits.delete(commit)
    this.unfinished.delete(commit)
    if (this.through === commit) this.#commits.pop()
  }

  #begin(commit: number): void {
    if (commit <= this.through) return
    this.#commits.push(commit)
    this.unfinished.add(commit)
  }
}

export function saltedDigest(salt: Uint8Array, id: string): Uint8Array {
  return createHash('sha256').update(salt).update(id).digest()
}

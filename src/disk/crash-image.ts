/**
 * What a disk could hold after the power went: everything synced, and of the rest whatever chance leaves,
 * each piece by itself and in no order. Refuses nothing a real disk might do short of breaking its promise to
 * keep what was synced.
 */
import {
  applyName,
  DirectoryNode,
  FileNode,
  type Node,
  type PendingName,
  type PendingWrite,
} from './memory-nodes.ts'
import type { Pages } from './memory-pages.ts'

/**
 * `'all'`: everything arrived, as when only the process was killed. `'none'`: only what was synced. Or
 * chance, numbers from 0 to 1. Or whoever decides piece by piece.
 */
export type Fate = 'all' | 'none' | (() => number) | Decisions

/** What becomes of unsynced changes, asked for one after another. */
export interface Decisions {
  /** Whether the next change arrives whole. */
  arrives(): boolean
  /** Which of so many other fates it has, from 0. */
  oneOf(fates: number): number
  /** A number below `count`, where it matters little which: the byte at which a write is torn. */
  anywhere(count: number): number
}

/** Another tree of nodes; the old one may live on. After `'all'` unsynced changes are still unsynced. */
export function crashImage(root: DirectoryNode, fate: Fate): DirectoryNode {
  if (fate === 'all') return new Twins().directory(root)
  if (fate === 'none') return new Survivors(undefined).directory(root)
  return new Survivors(typeof fate === 'function' ? new Chance(fate) : fate).directory(root)
}

/** The whole tree once more, its pending changes included. One file under two names stays one file. */
class Twins {
  readonly #twins = new Map<Node, Node>()

  directory(node: DirectoryNode): DirectoryNode {
    return this.of(node) as DirectoryNode
  }

  of(node: Node): Node {
    const known = this.#twins.get(node)
    if (known) return known
    if (node.kind === 'other') return node
    return node.kind === 'file' ? this.#file(node) : this.#directory(node)
  }

  #file(node: FileNode): FileNode {
    const twin = new FileNode(node.live.clone())
    this.#twins.set(node, twin)
    twin.durable = node.durable?.clone()
    twin.pending = node.pending.slice()
    twin.modifiedMs = node.modifiedMs
    return twin
  }

  #directory(node: DirectoryNode): DirectoryNode {
    const twin = new DirectoryNode()
    this.#twins.set(node, twin)
    for (const [name, entry] of node.entries) twin.entries.set(name, this.of(entry))
    if (node.durable) twin.durable = new Map([...node.durable].map(([name, entry]) => [name, this.of(entry)]))
    twin.pending = node.pending.map(({ sets, removes }) => ({
      ...(sets && { sets: { name: sets.name, node: this.of(sets.node) } }),
      ...(removes !== undefined && { removes }),
    }))
    twin.modifiedMs = node.modifiedMs
    return twin
  }
}

/** The tree that is left; all of it is durable then. */
class Survivors {
  readonly #decisions: Decisions | undefined
  readonly #survivors = new Map<Node, Node>()

  constructor(decisions: Decisions | undefined) {
    this.#decisions = decisions
  }

  directory(node: DirectoryNode): DirectoryNode {
    const survivor = new DirectoryNode()
    this.#survivors.set(node, survivor)
    survivor.modifiedMs = node.modifiedMs
    for (const [name, entry] of this.#entries(node)) survivor.entries.set(name, this.#of(entry))
    return survivor
  }

  #of(node: Node): Node {
    const known = this.#survivors.get(node)
    if (known) return known
    if (node.kind === 'directory') return this.directory(node)
    if (node.kind === 'other') return node
    const survivor = new FileNode(this.#bytes(node))
    survivor.modifiedMs = node.modifiedMs
    this.#survivors.set(node, survivor)
    return survivor
  }

  #entries(node: DirectoryNode): Map<string, Node> {
    if (!node.durable) return node.entries
    const entries = new Map(node.durable)
    if (this.#decisions)
      for (const change of node.pending) applyName(entries, partOf(change, this.#decisions))
    return entries
  }

  #bytes(node: FileNode): Pages {
    if (!node.durable) return node.live.clone()
    const bytes = node.durable.clone()
    if (this.#decisions) leave(bytes, node, this.#decisions)
    return bytes
  }
}

/** A rename leaves the old name, the new one, or both, but loses neither. */
function partOf(change: PendingName, decisions: Decisions): PendingName {
  if (decisions.arrives()) return change
  return change.sets && change.removes !== undefined && decisions.oneOf(2) === 1 ? { sets: change.sets } : {}
}

/**
 * Growth and data are told apart: a file may be longer than what arrived in it, and what arrived beyond its
 * end is lost.
 */
function leave(bytes: Pages, { live, pending }: FileNode, decisions: Decisions): void {
  const kept = bytes.size
  bytes.resize(sizeLeft(kept, live.size, { pending, decisions }))
  for (const write of pending) if (write.offset < bytes.size) leaveWrite(bytes, write, { kept, decisions })
}

function sizeLeft(
  before: number,
  after: number,
  { pending, decisions }: { pending: readonly PendingWrite[]; decisions: Decisions },
): number {
  if (before === after || decisions.arrives()) return after
  switch (decisions.oneOf(3)) {
    case 0:
      return before
    case 1: {
      const write = pending[decisions.anywhere(pending.length)]!
      return Math.max(before, write.offset + write.bytes.length)
    }
    default:
      return before + decisions.anywhere(after - before + 1)
  }
}

const sectorBytes = 512

/** What was durable, up to `kept`, is never harmed: each of its sectors is as it was, or as written. */
function leaveWrite(
  file: Pages,
  { offset, bytes }: PendingWrite,
  { kept, decisions }: { kept: number; decisions: Decisions },
): void {
  const put = (from: number, part: Uint8Array): void => {
    const room = file.size - from
    if (room > 0) file.write(from, part.length > room ? part.subarray(0, room) : part)
  }
  const fresh = Math.max(offset, kept)
  const freshBytes = Math.max(0, offset + bytes.length - fresh)
  if (decisions.arrives()) return put(offset, bytes)
  switch (decisions.oneOf(5)) {
    case 0: // gone
      return
    case 1: // torn
      return put(offset, bytes.subarray(0, decisions.anywhere(bytes.length)))
    case 2: // space given, data not
      return put(fresh, new Uint8Array(freshBytes))
    case 3: // space given, with what was there before
      return put(fresh, garbage(freshBytes, decisions.anywhere(0xffffffff) + 1))
    default: // some sectors of it
      for (let at = offset; at < offset + bytes.length;) {
        const next = Math.min(at - (at % sectorBytes) + sectorBytes, offset + bytes.length)
        if (decisions.anywhere(2) === 0) put(at, bytes.subarray(at - offset, next - offset))
        at = next
      }
  }
}

function garbage(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let index = 0; index < length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state
  }
  return bytes
}

/** Leaves it to numbers from 0 to 1. */
class Chance implements Decisions {
  readonly #random: () => number
  /**
   * How likely an unsynced change arrives whole. One for the whole image: or mixtures would hide "nearly all"
   * and "nearly nothing".
   */
  readonly #arrival: number

  constructor(random: () => number) {
    this.#random = random
    this.#arrival = [0, 0.1, 0.5, 0.9, 1][this.anywhere(5)]!
  }

  arrives(): boolean {
    return this.#random() < this.#arrival
  }

  oneOf(fates: number): number {
    return this.anywhere(fates)
  }

  anywhere(count: number): number {
    return Math.min(count - 1, Math.floor(this.#random() * count))
  }
}

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
 * chance, numbers from 0 to 1.
 */
export type Fate = 'all' | 'none' | (() => number)

/** Another tree of nodes; the old one may live on. After `'all'` unsynced changes are still unsynced. */
export function crashImage(root: DirectoryNode, fate: Fate): DirectoryNode {
  if (fate === 'all') return new Twins().directory(root)
  const chance = fate === 'none' ? undefined : new Chance(fate)
  return new Survivors(chance).directory(root)
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
  readonly #chance: Chance | undefined
  readonly #survivors = new Map<Node, Node>()

  constructor(chance: Chance | undefined) {
    this.#chance = chance
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
    if (this.#chance) for (const change of node.pending) applyName(entries, this.#chance.partOf(change))
    return entries
  }

  #bytes(node: FileNode): Pages {
    if (!node.durable) return node.live.clone()
    const bytes = node.durable.clone()
    if (this.#chance) this.#chance.leave(bytes, node)
    return bytes
  }
}

const sectorBytes = 512

class Chance {
  readonly #random: () => number
  /**
   * How likely an unsynced change arrives whole. One for the whole image: or mixtures would hide "nearly all"
   * and "nearly nothing".
   */
  readonly #arrival: number

  constructor(random: () => number) {
    this.#random = random
    this.#arrival = [0, 0.1, 0.5, 0.9, 1][this.#below(5)]!
  }

  /** A rename leaves the old name, the new one, or both, but loses neither. */
  partOf(change: PendingName): PendingName {
    if (this.#arrives()) return change
    return change.sets && change.removes !== undefined && this.#random() < 0.5 ? { sets: change.sets } : {}
  }

  /**
   * Growth and data are told apart: a file may be longer than what arrived in it, and what arrived beyond its
   * end is lost.
   */
  leave(bytes: Pages, { live, pending }: FileNode): void {
    bytes.resize(this.#size(bytes.size, live.size, pending))
    for (const write of pending) this.#leaveWrite(bytes, write)
  }

  #size(before: number, after: number, pending: readonly PendingWrite[]): number {
    if (this.#arrives()) return after
    if (this.#random() < 0.5) return before
    const write = pending[this.#below(pending.length)]!
    const end =
      this.#random() < 0.5 ? write.offset + write.bytes.length : before + this.#below(after - before + 1)
    return Math.max(before, end)
  }

  #leaveWrite(file: Pages, { offset, bytes }: PendingWrite): void {
    const put = (from: number, part: Uint8Array): void => {
      const room = file.size - from
      if (room > 0) file.write(from, part.length > room ? part.subarray(0, room) : part)
    }
    if (this.#arrives()) return put(offset, bytes)
    switch (this.#below(5)) {
      case 0: // gone
        return
      case 1: // torn
        return put(offset, bytes.subarray(0, this.#below(bytes.length)))
      case 2: // space given, data not
        return put(offset, new Uint8Array(bytes.length))
      case 3: // space given, with what was there before
        return put(offset, this.#garbage(bytes.length))
      default: // some sectors of it
        for (let at = offset; at < offset + bytes.length;) {
          const next = Math.min(at - (at % sectorBytes) + sectorBytes, offset + bytes.length)
          if (this.#random() < 0.5) put(at, bytes.subarray(at - offset, next - offset))
          at = next
        }
    }
  }

  #garbage(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    let state = this.#below(0xffffffff) + 1
    for (let index = 0; index < length; index++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      bytes[index] = state
    }
    return bytes
  }

  #arrives(): boolean {
    return this.#random() < this.#arrival
  }

  #below(count: number): number {
    return Math.min(count - 1, Math.floor(this.#random() * count))
  }
}

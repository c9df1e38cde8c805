/**
 * A disk in memory that behaves like a real one, knows what was synced, and can be crashed, filled up and
 * made to fail at any operation. Several processes can share it. Knows nothing of what the bytes mean.
 */
import { crashImage, type Fate } from './crash-image.ts'
import type { Announcement, Disk, FileStatus, Machine, ReadableFile, WritableFile } from './disk.ts'
import { EveryFate } from './every-fate.ts'
import { Faults, isDropping, type Fault, type Struck } from './memory-faults.ts'
import { MemoryFile, type Access, type LookKind, type Operation } from './memory-file.ts'
import {
  digestOf,
  DirectoryNode,
  FileNode,
  filesUnder,
  findNode,
  getNode,
  getPlace,
  namesOf,
  putFile,
  renameNode,
  SocketNode,
  systemError,
  wholeFile,
} from './memory-nodes.ts'
import { seededRandom } from './seeded-random.ts'

export type { Fate } from './crash-image.ts'
export type { Fault, FaultKind, Struck } from './memory-faults.ts'
export type { Operation, OperationKind } from './memory-file.ts'

export interface MemoryDiskOptions {
  machine?: Partial<Machine>
  /** The chance of `crash()` without a fate of its own, from 0 to 1; seeded by the caller. */
  random?: () => number
  /** Beyond this many bytes of files a write fails with `ENOSPC`, having written what fits. */
  capacityBytes?: number
  networkFileSystem?: boolean
  /**
   * Awaited before every asynchronous operation takes effect, so that tests can interleave processes as they
   * like.
   */
  delay?: () => Promise<void>
  /**
   * Awaited between the beginning of a sync and its end: what is written meanwhile is not reached by it.
   */
  duringSync?: (operation: Operation) => Promise<void>
}

/** What a crash leaves. The same options give the same images under the same names. */
export interface Image {
  name: string
  disk: MemoryDisk
}

export interface ImagesOptions {
  /** How many at most. */
  most: number
  seed: number
  /** False: leaves all to chance, as is right for a moment whose combinations were gone through before. */
  combinations?: boolean
}

/** What all processes of one disk share. */
interface World {
  root: DirectoryNode
  options: MemoryDiskOptions
  operations: number
  crashed: boolean
  announcements: Map<string, MemoryDisk>
  faults: Faults
  onOperation: ((operation: Operation) => void) | undefined
  afterOperation: ((operation: Operation) => void) | undefined
}

/**
 * A whole file system in memory, to crash-test what is built on it: pass it as `disk`. Every write, creation, rename and removal
 * is seen at once and pending until the right sync: a file's bytes until the file's own, a name until its directory's.
 * Nothing is ever truncated: a `Disk` has no such call.
 *
 * - `images()` and `image()` give the disks that a crash at this moment could leave: of each pending change all, nothing, or something
 *   in between, whatever became of the others. The bytes of a write may be there, gone, torn, zeros, garbage, or some sectors of it; a file may
 *   be longer than what arrived in it; a rename may leave the old name, the new one, or both.
 * - `inject()` makes the n-th operation fail: `EIO`, `ENOSPC`, `EMFILE`, a short write, a failed sync, a slow one.
 * - `onOperation` and `afterOperation` are the moments to crash at: before and after every operation.
 *
 * Nothing is left to chance but by a seed: the same calls with the same seeds see the same images.
 */
export class MemoryDisk implements Disk {
  readonly #world: World
  readonly #machine: Machine
  #killed = false

  constructor(options: MemoryDiskOptions = {}, share?: MemoryDisk | DirectoryNode) {
    this.#machine = { host: 'memory', bootId: 'boot', pid: 1, startedMs: 0, ...options.machine }
    if (share instanceof MemoryDisk) {
      this.#world = share.#world
      return
    }
    this.#world = {
      root: share ?? new DirectoryNode(),
      options,
      operations: 0,
      crashed: false,
      announcements: new Map(),
      faults: new Faults(),
      onOperation: undefined,
      afterOperation: undefined,
    }
  }

  // --- Beyond Disk: what tests do to it ---

  /** How many operations that change something were started on this disk, by all its processes. */
  get operations(): number {
    return this.#world.operations
  }

  /**
   * Called before each operation that changes something; what it throws is the operation's error. A write
   * whose error carries `written` has written that much.
   */
  set onOperation(hook: ((operation: Operation) => void) | undefined) {
    this.#world.onOperation = hook
  }

  /**
   * Called when an operation has taken effect and before its caller hears of it; what it throws is what the
   * caller hears.
   */
  set afterOperation(hook: ((operation: Operation) => void) | undefined) {
    this.#world.afterOperation = hook
  }

  /** Makes one operation to come fail, or take its time. Answers an object that tells where it struck. */
  inject(fault: Fault): Struck {
    return this.#world.faults.add(fault)
  }

  /** Ends this disk and all its processes, and gives the one that is there after the restart. */
  crash(fate?: Fate): MemoryDisk {
    const image = this.image(fate)
    this.#world.crashed = true
    this.#world.announcements.clear()
    return image
  }

  /** The same without ending this one: many images can be taken of one moment. */
  image(fate: Fate = this.#world.options.random ?? 'none'): MemoryDisk {
    const machine = { ...this.#machine, pid: this.#machine.pid + 1 }
    if (fate !== 'all') machine.bootId += '+'
    return new MemoryDisk({ ...this.#world.options, machine }, crashImage(this.#world.root, fate))
  }

  /**
   * What a crash at this moment could leave, one after another: everything, only what was synced, then all
   * combinations of what becomes of each unsynced change, those first in which it arrives whole or not at
   * all; and where these are too many, what chance leaves.
   */
  *images({ most, seed, combinations = true }: ImagesOptions): Generator<Image> {
    let left = most
    for (const fate of ['all', 'none'] as const) if (left-- > 0) yield { name: fate, disk: this.image(fate) }
    for (const grain of combinations ? (['coarse', 'fine'] as const) : []) {
      const disks = this.#combinations(new EveryFate(grain, seededRandom(seed)), left)
      // A part of them would be all alike: the first decisions are the last to change.
      if (!disks) break
      left -= disks.length
      for (const [index, disk] of disks.entries()) yield { name: `${grain}-${index}`, disk }
    }
    for (let index = 0; index < left; index++)
      yield { name: `chance-${index}`, disk: this.image(seededRandom(seed + index * 0x9e3779b9)) }
  }

  /** An image of each, or `undefined` if they are too many. */
  #combinations(every: EveryFate, most: number): MemoryDisk[] | undefined {
    const disks: MemoryDisk[] = []
    do {
      if (disks.length === most) return undefined
      disks.push(this.image(every))
    } while (every.next())
    return disks
  }

  /** Equal for disks on which the same is seen: names and bytes, synced or not. */
  digest(): string {
    return digestOf(this.#world.root)
  }

  /** A twin on which everything arrived; what is unsynced here is unsynced there. */
  snapshot(): MemoryDisk {
    return this.image('all')
  }

  /** Another process on the same files; with a `bootId` of its own it runs on another machine. */
  asProcess(machine: Partial<Machine> & { pid: number }): MemoryDisk {
    return new MemoryDisk({ machine: { ...this.#machine, ...machine } }, this)
  }

  /** Ends this process: its files stay as written, nobody answers for it any more. */
  kill(): void {
    this.#killed = true
    for (const [path, owner] of this.#world.announcements) {
      if (owner === this) this.#world.announcements.delete(path)
    }
  }

  /** Puts a durable file there, and its directories, without an operation. */
  put(path: string, bytes: Uint8Array): void {
    putFile(this.#world.root, path, bytes)
  }

  /** The bytes of a file as everyone sees them, dead disk or not, without an operation. */
  peek(path: string): Uint8Array {
    return wholeFile(this.#world.root, path, 'peek')
  }

  // --- Disk ---

  async openToRead(path: string): Promise<ReadableFile> {
    return this.#open(path)
  }

  async openToWrite(path: string): Promise<WritableFile> {
    return this.#open(path)
  }

  async create(path: string): Promise<WritableFile> {
    await this.#turn()
    return this.#operate({ kind: 'create', path }, () => {
      const { parent, name, node } = getPlace(this.#world.root, path, 'open')
      if (node) throw systemError('EEXIST', 'open', path)
      const file = new FileNode()
      parent.change({ sets: { name, node: file } })
      return new MemoryFile(this.#access, path, file)
    })
  }

  async list(directory: string): Promise<string[]> {
    await this.#turn()
    this.#look('list', directory)
    return [...this.#directory(directory, 'scandir').entries.keys()].sort()
  }

  async stat(path: string): Promise<FileStatus | undefined> {
    await this.#turn()
    this.#look('stat', path)
    try {
      const node = findNode(this.#world.root, path, 'stat')
      if (!node) return undefined
      return {
        kind: node.kind,
        sizeBytes: node.kind === 'file' ? node.live.size : 0,
        modifiedMs: node.modifiedMs,
      }
    } catch (error) {
      if (path !== '' && (error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error
      return undefined
    }
  }

  async realPath(path: string): Promise<string> {
    await this.#turn()
    this.#look('realPath', path)
    getNode(this.#world.root, path, 'realpath')
    return `/${namesOf(path, 'realpath').join('/')}`
  }

  async makeDirectory(directory: string): Promise<void> {
    await this.#turn()
    const names = namesOf(directory, 'mkdir')
    for (let depth = 1; depth <= names.length; depth++) {
      const path = `/${names.slice(0, depth).join('/')}`
      const { parent, name, node } = getPlace(this.#world.root, path, 'mkdir')
      if (node?.kind === 'directory') continue
      if (node) throw systemError(depth === names.length ? 'EEXIST' : 'ENOTDIR', 'mkdir', directory)
      this.#operate({ kind: 'makeDirectory', path }, () =>
        parent.change({ sets: { name, node: new DirectoryNode() } }),
      )
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#turn()
    this.#operate({ kind: 'rename', path: to }, () => renameNode(this.#world.root, from, to))
  }

  async link(from: string, to: string): Promise<void> {
    await this.#turn()
    this.#operate({ kind: 'link', path: to }, () => {
      const node = getNode(this.#world.root, from, 'link')
      const { parent, name, node: taken } = getPlace(this.#world.root, to, 'link')
      if (taken) throw systemError('EEXIST', 'link', to)
      if (node.kind === 'directory') throw systemError('EPERM', 'link', from)
      parent.change({ sets: { name, node } })
    })
  }

  async unlink(path: string): Promise<void> {
    await this.#turn()
    this.#operate({ kind: 'unlink', path }, () => {
      const { parent, name, node } = getPlace(this.#world.root, path, 'unlink')
      if (!node) throw systemError('ENOENT', 'unlink', path)
      if (node.kind === 'directory') throw systemError('EISDIR', 'unlink', path)
      parent.change({ removes: name })
    })
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#turn()
    await this.#sync('syncDirectory', directory, this.#directory(directory, 'fsync'))
  }

  async readSmallFile(path: string): Promise<Uint8Array> {
    await this.#turn()
    this.#look('open', path)
    this.#look('read', path)
    return wholeFile(this.#world.root, path, 'read')
  }

  async announce(path: string): Promise<Announcement> {
    await this.#turn()
    const { parent, name, node } = getPlace(this.#world.root, path, 'listen')
    const key = this.#announcementKey(path)
    if (this.#world.announcements.has(key)) throw systemError('EADDRINUSE', 'listen', path)
    if (node?.kind !== 'other') parent.change({ sets: { name, node: new SocketNode() } })
    this.#world.announcements.set(key, this)
    return {
      close: async () => {
        if (this.#world.announcements.get(key) !== this) return
        this.#world.announcements.delete(key)
        if (parent.entries.get(name)?.kind === 'other') parent.change({ removes: name })
      },
    }
  }

  async isAnnounced(path: string): Promise<boolean> {
    await this.#turn()
    return this.#world.announcements.has(this.#announcementKey(path))
  }

  async machine(): Promise<Machine> {
    await this.#turn()
    return { ...this.#machine }
  }

  async isNetworkFileSystem(directory: string): Promise<boolean> {
    await this.#turn()
    this.#directory(directory, 'statfs')
    return this.#world.options.networkFileSystem ?? false
  }

  // --- Inside ---

  /** A socket is heard on its own machine only, even if another one sees its file. */
  #announcementKey(path: string): string {
    return `${this.#machine.bootId} /${namesOf(path, 'listen').join('/')}`
  }

  async #open(path: string): Promise<MemoryFile> {
    await this.#turn()
    this.#look('open', path)
    const node = getNode(this.#world.root, path, 'open')
    if (node.kind === 'directory') throw systemError('EISDIR', 'open', path)
    if (node.kind !== 'file') throw systemError('ENXIO', 'open', path)
    return new MemoryFile(this.#access, path, node)
  }

  #directory(path: string, call: string): DirectoryNode {
    const node = getNode(this.#world.root, path, call)
    if (node.kind !== 'directory') throw systemError('ENOTDIR', call, path)
    return node
  }

  async #turn(): Promise<void> {
    this.#mustLive()
    if (!this.#world.options.delay) return
    await this.#world.options.delay()
    this.#mustLive()
  }

  #mustLive(): void {
    if (this.#killed || this.#world.crashed) throw systemError('ECRASHED', 'after a crash', '')
  }

  #look(kind: LookKind, path: string): void {
    this.#world.faults.meet({ kind, path, index: this.#world.operations, pid: this.#machine.pid })
  }

  #operate<T>(request: Omit<Operation, 'index' | 'pid'>, act: () => T): T {
    const { operation } = this.#begin(request)
    const result = act()
    this.#end(operation)
    return result
  }

  async #sync(kind: 'sync' | 'syncDirectory', path: string, node: FileNode | DirectoryNode): Promise<void> {
    const reach = reachOf(node)
    try {
      const { operation, turns } = this.#begin({ kind, path })
      for (let turn = 0; turn < turns; turn++) await new Promise((resume) => setImmediate(resume))
      if (this.#world.options.duringSync) await this.#world.options.duringSync(operation)
      this.#mustLive()
      reach()
      this.#end(operation)
    } catch (error) {
      if (node.kind === 'file' && isDropping(error)) node.drop()
      throw error
    }
  }

  #begin(request: Omit<Operation, 'index' | 'pid'>): { operation: Operation; turns: number } {
    this.#mustLive()
    const operation = { ...request, index: this.#world.operations++, pid: this.#machine.pid }
    this.#world.onOperation?.(operation)
    // A hook may have pulled the plug.
    this.#mustLive()
    return { operation, turns: this.#world.faults.meet(operation) }
  }

  #end(operation: Operation): void {
    this.#world.afterOperation?.(operation)
    this.#mustLive()
  }

  /** What an open file needs of its process. */
  readonly #access: Access = {
    turn: () => this.#turn(),
    mustLive: () => this.#mustLive(),
    look: (kind, path) => this.#look(kind, path),
    operate: (request, act) => this.#operate(request, act),
    sync: (kind, path, node) => this.#sync(kind, path, node),
    roomBytes: () => {
      const { capacityBytes } = this.#world.options
      if (capacityBytes === undefined) return Infinity
      const used = [...filesUnder(this.#world.root)].reduce((sum, file) => sum + file.live.size, 0)
      return Math.max(0, capacityBytes - used)
    },
  }
}

/** What a sync that begins now makes durable once it ends. */
function reachOf(node: FileNode | DirectoryNode): () => void {
  if (node.pending.length === 0) return () => {}
  if (node.kind === 'file') {
    const last = node.pending.at(-1)
    return () => node.sync(last)
  }
  const last = node.pending.at(-1)
  return () => node.sync(last)
}

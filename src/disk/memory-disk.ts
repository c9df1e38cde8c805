/**
 * A disk in memory that behaves like a real one, knows what was synced, and can be crashed, filled up and
 * made to fail at any operation. Several processes can share it. Knows nothing of what the bytes mean.
 */
import { crashImage, type Fate } from './crash-image.ts'
import type { Announcement, Disk, FileStatus, Machine, ReadableFile, WritableFile } from './disk.ts'
import { MemoryFile, type Access, type Operation } from './memory-file.ts'
import {
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

export type { Fate } from './crash-image.ts'
export type { Operation } from './memory-file.ts'

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
}

/** What all processes of one disk share. */
interface World {
  root: DirectoryNode
  options: MemoryDiskOptions
  operations: number
  crashed: boolean
  announcements: Map<string, MemoryDisk>
  onOperation: ((operation: Operation) => void) | undefined
  afterOperation: ((operation: Operation) => void) | undefined
}

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
      onOperation: undefined,
      afterOperation: undefined,
    }
  }

  // --- Beyond Disk: what tests do to it ---

  /** How many operations were started on this disk, by all its processes. */
  get operations(): number {
    return this.#world.operations
  }

  /**
   * Called before each operation; what it throws is the operation's error. A write whose error carries
   * `written` has written that much.
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
    return [...this.#directory(directory, 'scandir').entries.keys()].sort()
  }

  async stat(path: string): Promise<FileStatus | undefined> {
    await this.#turn()
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
    this.#operate({ kind: 'syncDirectory', path: directory }, () =>
      this.#directory(directory, 'fsync').sync(),
    )
  }

  async readSmallFile(path: string): Promise<Uint8Array> {
    await this.#turn()
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

  #operate<T>(request: Omit<Operation, 'index' | 'pid'>, act: () => T): T {
    this.#mustLive()
    const operation = { ...request, index: this.#world.operations++, pid: this.#machine.pid }
    this.#world.onOperation?.(operation)
    // A hook may have pulled the plug.
    this.#mustLive()
    const result = act()
    this.#world.afterOperation?.(operation)
    this.#mustLive()
    return result
  }

  /** What an open file needs of its process. */
  readonly #access: Access = {
    turn: () => this.#turn(),
    mustLive: () => this.#mustLive(),
    operate: (request, act) => this.#operate(request, act),
    roomBytes: () => {
      const { capacityBytes } = this.#world.options
      if (capacityBytes === undefined) return Infinity
      const used = [...filesUnder(this.#world.root)].reduce((sum, file) => sum + file.live.size, 0)
      return Math.max(0, capacityBytes - used)
    },
  }
}

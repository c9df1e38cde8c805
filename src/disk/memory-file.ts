/**
 * An open file of a `MemoryDisk`: sees the bytes even when their name is gone, and asks its process before it
 * touches them. Knows neither names nor other files.
 */
import type { WritableFile } from './disk.ts'
import { type DirectoryNode, type FileNode, systemError } from './memory-nodes.ts'

/** Those that change what a crash leaves, and those that only look. */
export type OperationKind = ChangeKind | LookKind

export type ChangeKind =
  | 'create'
  | 'write'
  | 'sync'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'makeDirectory'
  | 'syncDirectory'

export type LookKind = 'open' | 'read' | 'list' | 'stat' | 'realPath'

/** What a process asks of the disk. */
export interface Operation {
  kind: OperationKind
  path: string
  /** Counts the changes from 0 over all processes of the disk. A look has the number of the change that comes next. */
  index: number
  pid: number
  /** Of a write. */
  offset?: number
  sizeBytes?: number
}

/** What an open file needs of its process. */
export interface Access {
  /** Waits for this operation's turn. Rejects in a process that has ended. */
  turn(): Promise<void>
  mustLive(): void
  /** Lets the test interfere with a look. */
  look(kind: LookKind, path: string): void
  /** Counts the change, lets the test interfere, and runs `act` unless that throws. */
  operate<T>(request: Omit<Operation, 'index' | 'pid'>, act: () => T): T
  /** The same for a sync, which takes its time. */
  sync(kind: 'sync' | 'syncDirectory', path: string, node: FileNode | DirectoryNode): Promise<void>
  /** How much the disk can still take. */
  roomBytes(): number
}

export class MemoryFile implements WritableFile {
  readonly #access: Access
  readonly #path: string
  readonly #node: FileNode
  #busy = 0
  #whenIdle: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(access: Access, path: string, node: FileNode) {
    this.#access = access
    this.#path = path
    this.#node = node
  }

  size(): Promise<number> {
    return this.#use('fstat', () => {
      this.#access.look('stat', this.#path)
      return this.#node.live.size
    })
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#use('read', () => this.#read(offset, length))
  }

  readNow(offset: number, length: number): Uint8Array {
    this.#access.mustLive()
    this.#mustBeOpen('read')
    return this.#read(offset, length)
  }

  write(chunks: readonly Uint8Array[], offset: number): Promise<void> {
    return this.#use('write', () => this.#write(joined(chunks), offset))
  }

  sync(): Promise<void> {
    return this.#use('fdatasync', () => this.#access.sync('sync', this.#path, this.#node))
  }

  close(): Promise<void> {
    this.#closing ??=
      this.#busy === 0 ? Promise.resolve() : new Promise((resolve) => (this.#whenIdle = resolve))
    return this.#closing
  }

  #read(offset: number, length: number): Uint8Array {
    this.#access.look('read', this.#path)
    return this.#node.live.read(offset, length)
  }

  #write(bytes: Uint8Array, offset: number): void {
    let written: number | undefined
    try {
      this.#access.operate({ kind: 'write', path: this.#path, offset, sizeBytes: bytes.length }, () => {
        written = this.#put(bytes.subarray(0, this.#fitting(bytes.length, offset)), offset)
        if (written < bytes.length) throw systemError('ENOSPC', 'write', this.#path)
      })
    } catch (error) {
      // An error injected before the write says how much of it arrives nevertheless.
      const injected = error as { written?: number; code?: string }
      if (injected.code !== 'ECRASHED')
        written ??= this.#put(bytes.subarray(0, injected.written ?? 0), offset)
      throw Object.assign(error as Error, { written: written ?? 0 })
    }
  }

  /** How many of so many bytes the disk has room for: overwriting needs none. */
  #fitting(length: number, offset: number): number {
    const growth = Math.max(0, offset + length - this.#node.live.size)
    return Math.max(0, length - Math.max(0, growth - this.#access.roomBytes()))
  }

  #put(bytes: Uint8Array, offset: number): number {
    if (bytes.length > 0) this.#node.write(offset, bytes)
    this.#node.modifiedMs++
    return bytes.length
  }

  /** Open when called is open to the end: a close waits. */
  async #use<T>(call: string, operation: () => T | Promise<T>): Promise<T> {
    this.#mustBeOpen(call)
    this.#busy++
    try {
      await this.#access.turn()
      return await operation()
    } finally {
      if (--this.#busy === 0) this.#whenIdle?.()
    }
  }

  #mustBeOpen(call: string): void {
    if (this.#closing) throw systemError('EBADF', call, this.#path)
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

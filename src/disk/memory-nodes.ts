/**
 * The nodes of an in-memory file system, each of which knows what was synced: what everyone sees, what is
 * durable, and the changes between the two in their order. Knows no processes, no errors injected, and not
 * what a crash does with unsynced changes.
 */
import { hash } from 'node:crypto'
import { Pages } from './memory-pages.ts'

export type Node = FileNode | DirectoryNode | SocketNode

export interface PendingWrite {
  readonly offset: number
  readonly bytes: Uint8Array
  /** A sync of it failed: it is seen until the restart, and no later sync writes it. */
  readonly dropped?: true
}

/** A change of names in one directory. A rename within it is one change with both parts. */
export interface PendingName {
  readonly sets?: { readonly name: string; readonly node: Node }
  readonly removes?: string
}

export class FileNode {
  readonly kind = 'file'
  readonly live: Pages
  /** Left out as long as nothing is pending: it would equal `live`. */
  durable: Pages | undefined
  pending: PendingWrite[] = []
  modifiedMs = 0

  constructor(live = new Pages()) {
    this.live = live
  }

  /** Keeps the bytes for the crash, so they must be the caller's gift. */
  write(offset: number, bytes: Uint8Array): void {
    this.durable ??= this.live.clone()
    this.live.write(offset, bytes)
    this.pending.push({ offset, bytes })
  }

  /** Makes durable what was written up to there; what a failed sync dropped stays as it is. */
  sync(through = this.pending.at(-1)): void {
    const reached = this.pending.splice(0, through ? this.pending.indexOf(through) + 1 : 0)
    const dropped = reached.filter((write) => write.dropped)
    this.pending.unshift(...dropped)
    if (this.pending.length === 0) this.durable = undefined
    else
      for (const { offset, bytes } of reached.filter((write) => !write.dropped))
        this.durable!.write(offset, bytes)
  }

  /** What a failed sync does to all that is pending. */
  drop(): void {
    this.pending = this.pending.map((write) => ({ ...write, dropped: true }))
  }
}

export class DirectoryNode {
  readonly kind = 'directory'
  readonly entries: Map<string, Node>
  /** Left out as long as nothing is pending: it would equal `entries`. */
  durable: Map<string, Node> | undefined
  pending: PendingName[] = []
  modifiedMs = 0

  constructor(entries = new Map<string, Node>()) {
    this.entries = entries
  }

  change(change: PendingName): void {
    this.durable ??= new Map(this.entries)
    applyName(this.entries, change)
    this.pending.push(change)
  }

  /** Makes durable what was changed up to there. */
  sync(through = this.pending.at(-1)): void {
    const reached = this.pending.splice(0, through ? this.pending.indexOf(through) + 1 : 0)
    if (this.pending.length === 0) this.durable = undefined
    else for (const change of reached) applyName(this.durable!, change)
  }
}

/**
 * The file a local socket leaves in its directory. Whether someone listens on it is not the file system's
 * matter.
 */
export class SocketNode {
  readonly kind = 'other'
  modifiedMs = 0
}

export function applyName(entries: Map<string, Node>, { sets, removes }: PendingName): void {
  if (removes !== undefined) entries.delete(removes)
  if (sets) entries.set(sets.name, sets.node)
}

/** A place for a name, taken or free. */
export interface Place {
  readonly parent: DirectoryNode
  readonly name: string
  readonly node: Node | undefined
}

export function systemError(code: string, call: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code, syscall: call, path })
}

/** The names on the way, `.` and `..` resolved. There is one root, and relative paths start there. */
export function namesOf(path: string, call: string): string[] {
  if (path === '') throw systemError('ENOENT', call, path)
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name.length > 255) throw systemError('ENAMETOOLONG', call, path)
    if (name === '..') names.pop()
    else names.push(name)
  }
  return names
}

/** What stands at the path. Rejects a way through something that is no directory. */
export function findNode(root: DirectoryNode, path: string, call: string): Node | undefined {
  let node: Node | undefined = root
  for (const name of namesOf(path, call)) {
    if (!node) return undefined
    if (node.kind !== 'directory') throw systemError('ENOTDIR', call, path)
    node = node.entries.get(name)
  }
  return node
}

export function getNode(root: DirectoryNode, path: string, call: string): Node {
  const node = findNode(root, path, call)
  if (!node) throw systemError('ENOENT', call, path)
  return node
}

/** Where the path's last name is or would be. Its directory must exist. */
export function getPlace(root: DirectoryNode, path: string, call: string): Place {
  const names = namesOf(path, call)
  const name = names.pop()
  if (name === undefined) throw systemError('EEXIST', call, path)
  const parent = getNode(root, `/${names.join('/')}`, call)
  if (parent.kind !== 'directory') throw systemError('ENOTDIR', call, path)
  return { parent, name, node: parent.entries.get(name) }
}

/** Each file once, however many names it has. */
export function filesUnder(directory: DirectoryNode, found = new Set<FileNode>()): Set<FileNode> {
  for (const node of directory.entries.values()) {
    if (node.kind === 'file') found.add(node)
    if (node.kind === 'directory') filesUnder(node, found)
  }
  return found
}

/** Equal for trees that look the same. */
export function digestOf(directory: DirectoryNode): string {
  return hash('sha1', described(directory), 'base64')
}

function described({ entries }: DirectoryNode): string {
  let text = ''
  for (const name of [...entries.keys()].sort()) {
    const node = entries.get(name)!
    text += `${name}\0${node.kind === 'directory' ? `(${described(node)})` : node.kind === 'file' ? node.live.digest : node.kind}\0`
  }
  return text
}

export function wholeFile(root: DirectoryNode, path: string, call: string): Uint8Array {
  const node = getNode(root, path, call)
  if (node.kind === 'directory') throw systemError('EISDIR', call, path)
  if (node.kind !== 'file') throw systemError('ENXIO', call, path)
  return node.live.read(0, node.live.size)
}

/** Puts a durable file there, and the directories above it. */
export function putFile(root: DirectoryNode, path: string, bytes: Uint8Array): void {
  const names = namesOf(path, 'put')
  const last = names.pop()
  if (last === undefined) throw systemError('EISDIR', 'put', path)
  let parent = root
  for (const name of names) {
    const child = parent.entries.get(name) ?? new DirectoryNode()
    if (child.kind !== 'directory') throw systemError('ENOTDIR', 'put', path)
    parent.entries.set(name, child)
    parent.durable?.set(name, child)
    parent = child
  }
  const file = new FileNode()
  file.live.write(0, bytes)
  parent.entries.set(last, file)
  parent.durable?.set(last, file)
}

export function renameNode(root: DirectoryNode, from: string, to: string): void {
  const source = getPlace(root, from, 'rename')
  const target = getPlace(root, to, 'rename')
  if (!source.node) throw systemError('ENOENT', 'rename', from)
  if (target.node) checkReplaced(source.node, target.node, to)
  // POSIX: between two names of one file a rename does nothing at all.
  if (target.node === source.node) return
  const sets = { name: target.name, node: source.node }
  if (source.parent === target.parent) {
    source.parent.change({ sets, removes: source.name })
  } else {
    target.parent.change({ sets })
    source.parent.change({ removes: source.name })
  }
}

function checkReplaced(node: Node, replaced: Node, path: string): void {
  if (replaced.kind === 'directory') {
    if (node.kind !== 'directory') throw systemError('EISDIR', 'rename', path)
    if (node !== replaced && replaced.entries.size > 0) throw systemError('ENOTEMPTY', 'rename', path)
  } else if (node.kind === 'directory') {
    throw systemError('ENOTDIR', 'rename', path)
  }
}

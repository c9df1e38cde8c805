/**
 * The operating system's files as a `Disk`: every byte arrives or its error does. Errors are passed on as
 * they are. The only door to node:fs; knows nothing of what the bytes mean.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as callbacks from 'node:fs'
import { fstatSync, readdirSync, readFileSync, readSync, statSync, writevSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Announcement, Disk, FileStatus, Machine, ReadableFile, WritableFile } from './disk.ts'
import { isNetworkOnLinux, isNetworkOnMac } from './network-file-system.ts'
import { isListening, listen, longestAddressBytes } from './node-announce.ts'

/** What one system call takes: Linux allows 1,024 chunks (IOV_MAX) and a little under 2 GiB. */
const chunksPerCall = 1024
const bytesPerCall = 1 << 30

/**
 * Above this a read first asks how long the file is, lest a wrong length in a damaged file allocate what does
 * not exist.
 */
const trustedReadBytes = 1 << 20

/**
 * So few are written synchronously: they go to the system's memory, and the thread pool, which the flushes of other files keep busy,
 * would take far longer.
 */
const writtenNowBytes = 64 * 1024

const [openFd, readFd, writeFd, writevFd, statFd, syncFd, closeFd] = [
  promisify(callbacks.open),
  promisify(callbacks.read),
  promisify(callbacks.write),
  promisify(callbacks.writev),
  promisify(callbacks.fstat),
  promisify(callbacks.fdatasync),
  promisify(callbacks.close),
]

/**
 * Who forgets `close()` loses no descriptor; a FileHandle would warn, and in later versions of Node end the
 * process.
 */
const forgotten = new FinalizationRegistry((fd: number) => callbacks.close(fd, () => {}))

class NodeFile implements WritableFile {
  readonly #fd: number
  /** Operations under way: a descriptor closed beneath them could by then be another file's. */
  #busy = 0
  #whenIdle: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(fd: number) {
    this.#fd = fd
    forgotten.register(this, fd, this)
  }

  static async open(path: string, flags: string): Promise<NodeFile> {
    return new NodeFile(await openFd(path, flags))
  }

  // Synchronous inside, like `stat` and `list`: what the system has in memory, whoever follows a writer asks for at each look, and the thread pool would take far longer.
  async size(): Promise<number> {
    if (this.#closing) throw systemError('EBADF', 'fstat')
    return fstatSync(this.#fd).size
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#use('read', async (fd) => {
      const wanted =
        length > trustedReadBytes ? Math.min(length, Math.max(0, (await sizeOf(fd)) - offset)) : length
      const bytes = allocate(wanted)
      let done = 0
      while (done < wanted) {
        const { bytesRead } = await readFd(
          fd,
          bytes,
          done,
          Math.min(wanted - done, bytesPerCall),
          offset + done,
        )
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done === wanted ? bytes : bytes.slice(0, done)
    })
  }

  readNow(offset: number, length: number): Uint8Array {
    if (this.#closing) throw systemError('EBADF', 'read')
    const wanted =
      length > trustedReadBytes ? Math.min(length, Math.max(0, fstatSync(this.#fd).size - offset)) : length
    const bytes = allocate(wanted)
    let done = 0
    while (done < wanted) {
      const count = readSync(this.#fd, bytes, done, Math.min(wanted - done, bytesPerCall), offset + done)
      if (count === 0) break
      done += count
    }
    return done === wanted ? bytes : bytes.slice(0, done)
  }

  async write(chunks: readonly Uint8Array[], offset: number): Promise<void> {
    let written = 0
    try {
      await this.#use('write', async (fd) => {
        let rest = chunks.filter((chunk) => chunk.length > 0)
        while (rest.length > 0) {
          const count = await writeSome(fd, rest, offset + written)
          if (count === 0) throw systemError('EIO', 'write')
          written += count
          rest = without(rest, count)
        }
      })
    } catch (error) {
      throw Object.assign(error as Error, { written })
    }
  }

  sync(): Promise<void> {
    return this.#use('fdatasync', (fd) => syncFd(fd))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    forgotten.unregister(this)
    if (this.#busy > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve))
    await closeFd(this.#fd)
  }

  async #use<T>(call: string, operation: (fd: number) => Promise<T>): Promise<T> {
    if (this.#closing) throw systemError('EBADF', call)
    this.#busy++
    try {
      return await operation(this.#fd)
    } finally {
      if (--this.#busy === 0) this.#whenIdle?.()
    }
  }
}

async function sizeOf(fd: number): Promise<number> {
  return (await statFd(fd)).size
}

async function writeSome(fd: number, chunks: Uint8Array[], offset: number): Promise<number> {
  const [first] = chunks as [Uint8Array]
  if (first.length > bytesPerCall) return (await writeFd(fd, first, 0, bytesPerCall, offset)).bytesWritten
  let bytes = 0
  let count = 0
  while (count < Math.min(chunks.length, chunksPerCall) && bytes + chunks[count]!.length <= bytesPerCall) {
    bytes += chunks[count]!.length
    count++
  }
  const some = chunks.slice(0, count)
  return bytes <= writtenNowBytes
    ? writevSync(fd, some, offset)
    : (await writevFd(fd, some, offset)).bytesWritten
}

class NodeDisk implements Disk {
  openToRead(path: string): Promise<ReadableFile> {
    return NodeFile.open(path, 'r')
  }

  openToWrite(path: string): Promise<WritableFile> {
    return NodeFile.open(path, 'r+')
  }

  create(path: string): Promise<WritableFile> {
    return NodeFile.open(path, 'wx+')
  }

  async list(directory: string): Promise<string[]> {
    return readdirSync(directory).sort()
  }

  async stat(path: string): Promise<FileStatus | undefined> {
    try {
      const status = statSync(path)
      const kind = status.isFile() ? 'file' : status.isDirectory() ? 'directory' : 'other'
      return { kind, sizeBytes: status.size, modifiedMs: status.mtimeMs }
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
      throw error
    }
  }

  realPath(path: string): Promise<string> {
    return fs.realpath(path)
  }

  // Level by level: where the file system takes no directories (/proc), Node's own recursion never ends.
  async makeDirectory(directory: string): Promise<void> {
    const make = (): Promise<void> =>
      fs.mkdir(directory).catch(async (error) => {
        if ((await this.stat(directory))?.kind !== 'directory') throw error
      })
    try {
      await make()
    } catch (error) {
      const parent = dirname(directory)
      if (!hasCode(error, 'ENOENT') || parent === directory) throw error
      await this.makeDirectory(parent)
      await make()
    }
  }

  rename(from: string, to: string): Promise<void> {
    return fs.rename(from, to)
  }

  link(from: string, to: string): Promise<void> {
    return fs.link(from, to)
  }

  unlink(path: string): Promise<void> {
    return fs.unlink(path)
  }

  async syncDirectory(directory: string): Promise<void> {
    // Windows neither opens nor flushes a directory; NTFS keeps names in a journal of its own.
    if (process.platform === 'win32') return
    const handle = await fs.open(directory, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  // Synchronous inside: the file is one cached page, and this stands before every acknowledgement. The thread
  // pool, which the flushes of other commits keep busy, would take far longer than the read.
  async readSmallFile(path: string): Promise<Uint8Array> {
    return new Uint8Array(readFileSync(path))
  }

  announce(path: string): Promise<Announcement> {
    return process.platform === 'win32' ? announceByPipe(path) : announceBySocket(path)
  }

  isAnnounced(path: string): Promise<boolean> {
    return withAddress(path, isListening, false)
  }

  machine(): Promise<Machine> {
    thisMachine ??= findMachine()
    return thisMachine
  }

  async isNetworkFileSystem(directory: string): Promise<boolean> {
    const path = await fs.realpath(directory)
    switch (process.platform) {
      case 'linux':
        return isNetworkOnLinux((await fs.statfs(path)).type, path, await textOf('/proc/self/mountinfo'))
      case 'darwin':
        return isNetworkOnMac(path, await outputOf('/sbin/mount', []))
      default:
        return path.startsWith('\\\\')
    }
  }
}

export const nodeDisk: Disk = new NodeDisk()

/** Memory of its own, so that a view as float32 starts aligned and keeps nothing else alive. */
function allocate(length: number): Uint8Array {
  if (length < 4096) return new Uint8Array(length)
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
}

function without(chunks: Uint8Array[], count: number): Uint8Array[] {
  let skipped = 0
  while (skipped < chunks.length && count >= chunks[skipped]!.length) count -= chunks[skipped++]!.length
  const rest = chunks.slice(skipped)
  if (count > 0) rest[0] = rest[0]!.subarray(count)
  return rest
}

// --- Signs of life -----------------------------------------------------------------------------------------

/**
 * Listens under a passing name first and takes the true one by a rename: between a socket's birth and its
 * first listening a connection is refused, and a name seen in that moment would look like that of a dead
 * process. Of two that announce at one path in the same instant both may succeed, the later one being heard:
 * who needs exclusion needs a lock.
 */
async function announceBySocket(path: string): Promise<Announcement> {
  for (let attempt = 0; ; attempt++) {
    if (await nodeDisk.isAnnounced(path)) throw systemError('EADDRINUSE', 'listen')
    try {
      return await listenAt(await socketPlace(path), path)
    } catch (error) {
      // Whoever cleans up may have taken the passing name for a leftover.
      if (attempt === 10 || !hasCode(error, 'ENOENT')) throw error
    }
  }
}

async function listenAt(place: string, path: string): Promise<Announcement> {
  const passing = await socketPlace(`${path}.new`)
  await fs.rm(passing, { force: true })
  const listening = await withAddress(`${path}.new`, listen)
  try {
    await fs.rename(passing, place)
  } catch (error) {
    await listening.close()
    throw error
  }
  return { close: () => closeSocket(listening, place) }
}

async function closeSocket(listening: Announcement, place: string): Promise<void> {
  await fs.rm(place, { force: true })
  await listening.close()
}

async function announceByPipe(path: string): Promise<Announcement> {
  return listen(pipeName(path))
}

function pipeName(path: string): string {
  return `\\\\.\\pipe\\varve-${hashOf(path)}`
}

/**
 * Runs `use` with an address of the socket at the path that fits into a socket's address. The directory of a
 * long path is opened and named by its number, which is why the address holds only as long as `use` runs.
 */
async function withAddress<T>(path: string, use: (address: string) => Promise<T>, absent?: T): Promise<T> {
  if (process.platform === 'win32') return use(pipeName(path))
  if (process.platform !== 'linux' || fits(path)) return use(await socketPlace(path))
  let directory: fs.FileHandle
  try {
    directory = await fs.open(dirname(path), 'r')
  } catch (error) {
    if (absent !== undefined && hasCode(error, 'ENOENT', 'ENOTDIR')) return absent
    throw error
  }
  try {
    return await use(`/proc/self/fd/${directory.fd}/${basename(path)}`)
  } finally {
    await directory.close()
  }
}

/**
 * Where the socket lies: at the path, or, if that is too long and cannot be shortened, at a place named after
 * it. That place is in /tmp and not in os.tmpdir(), which differs between users and shells that must find
 * each other.
 */
async function socketPlace(path: string): Promise<string> {
  if (process.platform === 'linux' || fits(path)) return path
  const directory = await fs.realpath(dirname(path)).catch(() => dirname(path))
  return `/tmp/varve-${hashOf(join(directory, basename(path)))}`
}

/** With room for `.new`, so that a name and its passing name always share one way. */
function fits(path: string): boolean {
  return Buffer.byteLength(path) + '.new'.length <= longestAddressBytes
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

// --- Who runs here -----------------------------------------------------------------------------------------

let thisMachine: Promise<Machine> | undefined

async function findMachine(): Promise<Machine> {
  return {
    host: hostname(),
    bootId: await findBootId(),
    pid: process.pid,
    startedMs: Math.round(Date.now() - process.uptime() * 1000),
  }
}

async function findBootId(): Promise<string> {
  if (process.platform === 'linux') return (await textOf('/proc/sys/kernel/random/boot_id')).trim()
  if (process.platform === 'darwin')
    return (await outputOf('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'])).trim()
  return ''
}

function textOf(path: string): Promise<string> {
  return fs.readFile(path, 'utf8').catch(() => '')
}

function outputOf(command: string, parameters: string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, parameters, { timeout: 5000 }, (error, output) => resolve(error ? '' : output))
  })
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '')
}

function systemError(code: string, call: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${call}`), { code, syscall: call })
}

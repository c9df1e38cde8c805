/**
 * The port to files. Everything that Varve reads or writes goes through a `Disk`, so that a simulated one can stand in and
 * lose, tear or reorder what was not synced. A disk knows bytes and names; it does not know what they mean.
 *
 * Every method rejects (or throws) with a `NodeJS.ErrnoException` whose `code` is the operating system's: `ENOENT`, `EEXIST`, `ENOSPC`, …
 * Whoever calls turns that into a `VarveError`.
 */
export interface Disk {
  /** Opens an existing file for positional reads. */
  openToRead(path: string): Promise<ReadableFile>
  /** Opens an existing file for reads and writes. Does not truncate. */
  openToWrite(path: string): Promise<WritableFile>
  /** Creates a file that must not exist yet (`EEXIST`) and opens it for reads and writes. */
  create(path: string): Promise<WritableFile>
  /** The names in a directory, sorted, without `.` and `..`. */
  list(directory: string): Promise<string[]>
  /** What stands at the path, or `undefined` if nothing does. Follows symbolic links. */
  stat(path: string): Promise<FileStatus | undefined>
  /** The one true name of an existing path, so that two ways to write one directory compare equal. */
  realPath(path: string): Promise<string>
  /** Makes a directory and its missing parents; an existing one is left as it is. */
  makeDirectory(directory: string): Promise<void>
  /** Replaces `to` atomically. */
  rename(from: string, to: string): Promise<void>
  /** A second name for a file; rejects with `EEXIST` if `to` is taken. */
  link(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Makes the names in a directory durable: creations, renames, removals. */
  syncDirectory(directory: string): Promise<void>
  /** The whole of a small file, now: the lock's holder is looked at before every acknowledgement. */
  readSmallFile(path: string): Promise<Uint8Array>
  /**
   * Tells everyone on this machine that this process lives, under a path, until closed or killed. Nothing has to be cleaned up
   * after a killed process: `isAnnounced` then answers false. Rejects with `EADDRINUSE` if someone alive announces there.
   */
  announce(path: string): Promise<Announcement>
  isAnnounced(path: string): Promise<boolean>
  /** Who runs here. */
  machine(): Promise<Machine>
  /** True where other machines may write the same files (NFS, SMB, …), so that a local lock says nothing. */
  isNetworkFileSystem(directory: string): Promise<boolean>
}

export interface ReadableFile {
  /** The length in bytes, as of now. */
  size(): Promise<number>
  /** Up to `length` bytes from `offset`: fewer at the end of the file, never more. */
  read(offset: number, length: number): Promise<Uint8Array>
  /** The same without a turn of the event loop: for the one small read of a `getNode`. */
  readNow(offset: number, length: number): Uint8Array
  close(): Promise<void>
}

export interface WritableFile extends ReadableFile {
  /**
   * Writes all chunks one after another from `offset` on, all bytes or an error. The error of a write that stopped on the way carries
   * `written`, the number of bytes that did arrive.
   */
  write(chunks: readonly Uint8Array[], offset: number): Promise<void>
  /** Makes the file's bytes and length durable, not its name. */
  sync(): Promise<void>
}

export interface FileStatus {
  kind: 'file' | 'directory' | 'other'
  sizeBytes: number
  modifiedMs: number
}

export interface Announcement {
  close(): Promise<void>
}

export interface Machine {
  host: string
  /** Changes with every start of the operating system; `''` where it cannot be known. */
  bootId: string
  pid: number
  /** When this process started, in milliseconds since 1970. */
  startedMs: number
}

/**
 * A snapshot file: what a store folds to at one commit, or the catalog at that commit. It is a cache:
 * whatever is wrong with one is a miss, and losing all of them loses nothing. It is read whole, or a page when something in
 * it is looked at: then opening a store costs the same however large it is.
 *
 *     0   8  "VARVESNP"
 *     8   4  format: 2
 *    12   4  CRC-32 of everything from 16 on to the first page
 *    16   4  length of the description
 *    20   4  number of pages
 *    24      description, msgpack: [journal id, subject, commit, its hash, [[section, offset, length], …]]; padded to 8
 *            CRC-32 of each page; padded to 8
 *            pages of 16 KiB, the last of which may be shorter: sections, each at a multiple of 8 from the first page on
 *
 * Format 1, which is read but not written, has no pages: sections stand behind the description, and the CRC-32 at 12 is of everything.
 */
import { crc32 } from 'node:zlib'
import type { Disk, ReadableFile } from '../disk/disk.ts'
import { joinPath, parseSnapshotName, snapshotName, snapshotsFolder } from '../log/names.ts'
import { emptyIfMissing } from '../log/segment-files.ts'
import { padded } from '../log/frame.ts'
import { encode, tryDecode } from './codec.ts'
import { bytes as binary, count, digest, listOf, text, tuple } from './shape.ts'
import { pageBytes, SnapshotPages, type LazySection } from './snapshot-pages.ts'

/** The subject of the catalog's own snapshot; no store's folder is called so. */
export const catalogSubject = 'journal'

export interface SnapshotId {
  journalId: Uint8Array
  subject: string
  commit: number
  hash: Uint8Array
}

/**
 * One made anew after an erase says in a section of this name, as u32, the last erase commit that it knows: nothing that was erased until
 * then is in it.
 */
const erasuresSection = 'erasures'

export function knownErasures(through: number): [section: string, bytes: Uint8Array] {
  return [erasuresSection, new Uint8Array(Uint32Array.of(through).buffer)]
}

/** 0: of none but those before its commit. */
export function erasuresKnownTo(sections: ReadonlyMap<string, Uint8Array | LazySection>): number {
  const section = sections.get(erasuresSection)
  if (section?.length !== 4) return 0
  return section instanceof Uint8Array ? Buffer.from(section).readUInt32LE() : section.word(0)
}

/** Where it stands among the others. */
export type SnapshotName = Pick<SnapshotId, 'commit' | 'subject'>

export type Sections = Map<string, Uint8Array>

interface Journal {
  disk: Disk
  directory: string
  journalId: Uint8Array
}

interface NumberedHash {
  number: number
  hash: Uint8Array
}

const magic = Buffer.from('VARVESNP')
const fixedBytes = 24
/** Of all but huge snapshots the pages begin before. */
const firstReadBytes = 16 * 1024

export function encodeSnapshot(
  { journalId, subject, commit, hash }: SnapshotId,
  sections: Sections,
): Uint8Array[] {
  const places: [string, number, number][] = []
  const chunks: Uint8Array[] = []
  let length = 0
  for (const [name, bytes] of sections) {
    places.push([name, length, bytes.length])
    chunks.push(bytes, new Uint8Array(padded(bytes.length) - bytes.length))
    length += padded(bytes.length)
  }
  const description = encode([journalId, subject, commit, hash, places])
  const checksums = pageChecksums(chunks)
  const checksumsAt = padded(fixedBytes + description.length)
  const head = Buffer.alloc(padded(checksumsAt + checksums.length * 4))
  head.set(magic, 0)
  head.writeUInt32LE(2, 8)
  head.writeUInt32LE(description.length, 16)
  head.writeUInt32LE(checksums.length, 20)
  head.set(description, fixedBytes)
  for (const [page, checksum] of checksums.entries()) head.writeUInt32LE(checksum, checksumsAt + page * 4)
  head.writeUInt32LE(crc32(head.subarray(16)), 12)
  return [head, ...chunks]
}

function pageChecksums(chunks: readonly Uint8Array[]): number[] {
  const checksums: number[] = []
  let room = 0
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      if (room === 0) {
        checksums.push(0)
        room = pageBytes
      }
      const piece = chunk.subarray(at, at + room)
      checksums.push(crc32(piece, checksums.pop()))
      at += piece.length
      room -= piece.length
    }
  }
  return checksums
}

/** `undefined`: a miss. */
export function readSnapshot(
  disk: Disk,
  directory: string,
  id: Omit<SnapshotId, 'hash'>,
): Promise<{ hash: Uint8Array; sections: Sections } | undefined> {
  return withFile(disk, directory, id, async (file) => {
    const bytes = aligned(await file.read(0, await file.size()))
    const head = headIn(bytes, id)
    if (!head || !holdsPages(bytes, head) || !standWithin(head.places, bytes.length - head.start))
      return undefined
    const sections: Sections = new Map()
    for (const [name, offset, length] of head.places)
      sections.set(name, bytes.subarray(head.start + offset, head.start + offset + length))
    return { hash: head.hash, sections }
  })
}

/** A snapshot of which the head was read. `pages` has to be closed. */
export interface OpenSnapshot {
  hash: Uint8Array
  sections: Map<string, LazySection>
  pages: SnapshotPages
}

/** To be read as it is looked at. `undefined`: a miss, or one that can only be read whole. */
export function openSnapshot(
  disk: Disk,
  directory: string,
  id: Omit<SnapshotId, 'hash'>,
): Promise<OpenSnapshot | undefined> {
  return withFile(disk, directory, id, async (file, keep) => {
    const first = aligned(file.readNow(0, firstReadBytes))
    const start = startOf(first)
    const sizeBytes = await file.size()
    if (start > sizeBytes) return undefined
    const head = headIn(start > first.length ? aligned(file.readNow(0, start)) : first, id)
    const bytesOfPages = sizeBytes - start
    if (!head || head.checksums.length !== Math.ceil(bytesOfPages / pageBytes)) return undefined
    const { hash, checksums, places } = head
    if (!standWithin(places, bytesOfPages)) return undefined
    keep()
    const pages = new SnapshotPages(file, { start, sizeBytes: bytesOfPages, checksums })
    const sections = new Map<string, LazySection>()
    for (const [name, offset, length] of places) sections.set(name, pages.section(offset, length))
    return { hash, sections, pages }
  })
}

interface Head {
  hash: Uint8Array
  places: [section: string, offset: number, length: number][]
  /** Where the sections begin in the file. */
  start: number
  /** Of each page. */
  checksums: Uint32Array
}

const isDescription = tuple(binary, text, count, digest, listOf(tuple(text, count, count)))

/** Of a file's first bytes; of format 1 of all. `undefined`: a miss. */
function headIn(bytes: Buffer, id: Omit<SnapshotId, 'hash'>): Head | undefined {
  if (bytes.length < fixedBytes || !bytes.subarray(0, 8).equals(magic)) return undefined
  const format = bytes.readUInt32LE(8)
  const start = startOf(bytes)
  const checked = format === 2 ? bytes.subarray(16, start) : bytes.subarray(16)
  if (format < 1 || format > 2 || start > bytes.length || crc32(checked) !== bytes.readUInt32LE(12))
    return undefined
  const descriptionEnd = fixedBytes + bytes.readUInt32LE(16)
  const description = tryDecode(bytes.subarray(fixedBytes, descriptionEnd))
  if (!isDescription(description)) return undefined
  const [journalId, subject, commit, hash, places] = description as [
    Uint8Array,
    string,
    number,
    Uint8Array,
    Head['places'],
  ]
  if (!Buffer.from(journalId).equals(id.journalId) || subject !== id.subject || commit !== id.commit)
    return undefined
  const checksums = new Uint32Array(
    bytes.buffer,
    bytes.byteOffset + padded(descriptionEnd),
    bytes.readUInt32LE(20),
  )
  return { hash, places, start, checksums }
}

/** Whether each section begins where words do, and ends in so many bytes. */
function standWithin(places: Head['places'], bytes: number): boolean {
  return places.every(([, offset, length]) => offset % 8 === 0 && offset + length <= bytes)
}

/** Of a file's first bytes, which are not checked yet. */
function startOf(bytes: Buffer): number {
  return padded(padded(fixedBytes + bytes.readUInt32LE(16)) + bytes.readUInt32LE(20) * 4)
}

/** Of format 1 there are none: its one checksum was of everything. */
function holdsPages(bytes: Buffer, head: Head): boolean {
  if (bytes.readUInt32LE(8) === 1) return true
  const pages = bytes.subarray(head.start)
  if (head.checksums.length !== Math.ceil(pages.length / pageBytes)) return false
  return head.checksums.every(
    (checksum, page) => checksum === crc32(pages.subarray(page * pageBytes, (page + 1) * pageBytes)),
  )
}

/** A cache that cannot be read is a miss, whatever the reason. Closes the file, unless `read` keeps it. */
async function withFile<T>(
  disk: Disk,
  directory: string,
  { commit, subject }: Omit<SnapshotId, 'hash'>,
  read: (file: ReadableFile, keep: () => void) => Promise<T | undefined>,
): Promise<T | undefined> {
  let isKept = false
  try {
    const file = await disk.openToRead(joinPath(directory, snapshotsFolder, snapshotName(commit, subject)))
    try {
      return await read(file, () => (isKept = true))
    } finally {
      if (!isKept) await file.close()
    }
  } catch {
    return undefined
  }
}

/** At an address that is a multiple of 8, so that what stands in it can be viewed as words. */
function aligned(bytes: Uint8Array): Buffer {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
  return Buffer.from(buffer, byteOffset, byteLength)
}

/**
 * The last commit after `last` that a readable snapshot was made of; 0: of none. Of `commits` that means with their hash. A snapshot is made of
 * durable commits only.
 */
export async function snapshottedAfter(
  { disk, directory, journalId }: Journal,
  last: number,
  { snapshots, commits = [] }: { snapshots: readonly SnapshotName[]; commits?: readonly NumberedHash[] },
): Promise<number> {
  const hashes = new Map(commits.map(({ number, hash }) => [number, hash]))
  for (const { commit, subject } of snapshots) {
    if (commit <= last) continue
    const snapshot = await readSnapshot(disk, directory, { journalId, subject, commit })
    const hash = hashes.get(commit) ?? snapshot?.hash
    if (snapshot && Buffer.from(snapshot.hash).equals(hash!)) return commit
  }
  return 0
}

/** All that are there, the newest first. */
export async function listSnapshots(disk: Disk, directory: string): Promise<SnapshotName[]> {
  const names = await disk.list(joinPath(directory, snapshotsFolder)).catch(emptyIfMissing)
  return names
    .map(parseSnapshotName)
    .filter((name) => name !== undefined)
    .toReversed()
}

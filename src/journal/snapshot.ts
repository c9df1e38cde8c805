/**
 * A snapshot file: what a store folds to at one commit, or the catalog at that commit. It is a cache:
 * whatever is wrong with one is a miss, and losing all of them loses nothing.
 *
 *     0   8  "VARVESNP"
 *     8   4  format
 *    12   4  CRC-32 of everything behind these 16 bytes
 *    16   4  length of the description
 *    20   4  zero
 *    24      description, msgpack: [journal id, subject, commit, its hash, [[section, offset, length], …]]; padded to 8
 *            sections, each at a multiple of 8
 */
import { crc32 } from 'node:zlib'
import type { Disk } from '../disk/disk.ts'
import { joinPath, parseSnapshotName, snapshotName, snapshotsFolder } from '../log/names.ts'
import { emptyIfMissing } from '../log/segment-files.ts'
import { format } from '../log/segment.ts'
import { padded } from '../log/frame.ts'
import { encode, tryDecode } from './codec.ts'
import { bytes as binary, count, digest, listOf, text, tuple } from './shape.ts'

/** The subject of the catalog's own snapshot; no store's folder is called so. */
export const catalogSubject = 'journal'

export interface SnapshotId {
  journalId: Uint8Array
  subject: string
  commit: number
  hash: Uint8Array
}

/** Where it stands among the others. */
export type SnapshotName = Pick<SnapshotId, 'commit' | 'subject'>

export type Sections = Map<string, Uint8Array>

const magic = Buffer.from('VARVESNP')
const fixedBytes = 24

export function encodeSnapshot(
  { journalId, subject, commit, hash }: SnapshotId,
  sections: Sections,
): Uint8Array[] {
  const directory: [string, number, number][] = []
  let length = 0
  for (const [name, bytes] of sections) {
    directory.push([name, length, bytes.length])
    length += padded(bytes.length)
  }
  const description = encode([journalId, subject, commit, hash, directory])
  const head = Buffer.alloc(padded(fixedBytes + description.length))
  head.set(magic, 0)
  head.writeUInt32LE(format, 8)
  head.writeUInt32LE(description.length, 16)
  head.set(description, fixedBytes)
  const chunks: Uint8Array[] = [head]
  for (const bytes of sections.values())
    chunks.push(bytes, new Uint8Array(padded(bytes.length) - bytes.length))
  let crc = crc32(head.subarray(16))
  for (const chunk of chunks.slice(1)) crc = crc32(chunk, crc)
  head.writeUInt32LE(crc, 12)
  return chunks
}

const isDescription = tuple(binary, text, count, digest, listOf(tuple(text, count, count)))

/** `undefined`: a miss. */
export async function readSnapshot(
  disk: Disk,
  directory: string,
  id: Omit<SnapshotId, 'hash'>,
): Promise<{ hash: Uint8Array; sections: Sections } | undefined> {
  const bytes = await readWhole(
    disk,
    joinPath(directory, snapshotsFolder, snapshotName(id.commit, id.subject)),
  )
  if (!bytes || bytes.length < fixedBytes || !bytes.subarray(0, 8).equals(magic)) return undefined
  if (bytes.readUInt32LE(8) !== format || bytes.readUInt32LE(12) !== crc32(bytes.subarray(16)))
    return undefined
  const descriptionEnd = fixedBytes + bytes.readUInt32LE(16)
  const description = tryDecode(bytes.subarray(fixedBytes, descriptionEnd))
  if (!isDescription(description)) return undefined
  const [journalId, subject, commit, hash, sections] = description as [
    Uint8Array,
    string,
    number,
    Uint8Array,
    [string, number, number][],
  ]
  if (!Buffer.from(journalId).equals(id.journalId) || subject !== id.subject || commit !== id.commit)
    return undefined
  const start = padded(descriptionEnd)
  return {
    hash,
    sections: new Map(
      sections.map(([name, offset, length]) => [
        name,
        bytes.subarray(start + offset, start + offset + length),
      ]),
    ),
  }
}

/** At an address that is a multiple of 8, so that sections can be viewed as words. */
async function readWhole(disk: Disk, path: string): Promise<Buffer | undefined> {
  try {
    const file = await disk.openToRead(path)
    try {
      const bytes = await file.read(0, await file.size())
      const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
      return Buffer.from(aligned.buffer, aligned.byteOffset, aligned.byteLength)
    } finally {
      await file.close()
    }
  } catch {
    return undefined // A cache that cannot be read is a miss, whatever the reason.
  }
}

/** All that are there, the newest first. */
export async function listSnapshots(disk: Disk, directory: string): Promise<SnapshotName[]> {
  const names = await disk.list(joinPath(directory, snapshotsFolder)).catch(emptyIfMissing)
  return names
    .map(parseSnapshotName)
    .filter((name) => name !== undefined)
    .toReversed()
}

/** What no verifier can do without, and nothing more: reading every byte, hashing each frame's front for its part and, under its salt, each item. */
import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readHeader } from '../src/log/frame-header.ts'
import {
  cellOverheadBytes,
  digestBytes,
  frameFlags,
  headerBytes,
  itemDigest,
  padded,
  tableEntryBytes,
} from '../src/log/frame.ts'
import { parseSegmentName } from '../src/log/names.ts'
import { segmentHeaderBytes } from '../src/log/segment.ts'

/** Answers how many items there are. Ends a segment where no frame begins: the directory is known to be whole. */
export function readAndHashItems(directory: string): number {
  let items = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const bytes = readFileSync(join(entry.parentPath, entry.name))
    if (parseSegmentName(entry.name) === undefined) hash('sha256', bytes)
    else items += hashItems(bytes)
  }
  return items
}

function hashItems(segment: Buffer): number {
  let items = 0
  for (let frame = segmentHeaderBytes; frame < segment.length;) {
    const header = readHeader(segment.subarray(frame, frame + headerBytes))
    if (typeof header === 'string') break
    hash('sha256', segment.subarray(frame, frame + header.hashedBytes))
    let [cell, payload] = [frame + header.hashedBytes, frame + header.frontBytes]
    for (let item = 0; item < header.items; item++) {
      const sizes = frame + header.tableStart + item * tableEntryBytes + digestBytes
      const end = cell + cellOverheadBytes + segment.readUInt32LE(sizes)
      const length = segment.readUInt32LE(sizes + 4)
      itemDigest(segment.subarray(cell + 8, end), segment.subarray(payload, payload + length))
      payload += header.flags & frameFlags.matrix ? length : padded(length)
      cell = end
    }
    items += header.items
    frame += header.sizeBytes
  }
  return items
}

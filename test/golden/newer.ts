/** Makes a directory of this format look as if a later Varve had written it: a later number where that would stand, and every checksum right. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { decode } from '../../src/journal/codec.ts'
import { headerBytes } from '../../src/log/frame.ts'
import { framesOf } from '../support/damage.ts'

/** A segment whose header names another format. */
export function withFormat(segment: Uint8Array, format: number): Buffer {
  const bytes = Buffer.from(segment)
  bytes.writeUInt32LE(format, 8)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60)
  return bytes
}

/** A segment in which every head of this type has version 2. */
export function withVersion2(segment: Uint8Array, type: string): Buffer {
  return editHeads(segment, type, (head) => {
    head[2 + type.length] = 2 // Behind the array's and the string's first bytes.
  })
}

/** A commit segment whose parts are what the store's segment is now. */
export function withDigestOf(commits: Uint8Array, before: Uint8Array, after: Uint8Array): Buffer {
  return editHeads(commits, 'Commit', (head) => {
    const at = head.indexOf(digestOf(before))
    if (at >= 0) head.set(digestOf(after), at)
  })
}

function editHeads(segment: Uint8Array, type: string, edit: (head: Buffer) => void): Buffer {
  const bytes = Buffer.from(segment)
  for (const { offset, rows } of framesOf(bytes)) {
    const start = offset + headerBytes
    const head = bytes.subarray(start, start + bytes.readUInt32LE(offset + 12))
    if ((decode(head) as unknown[])[0] !== type) continue
    edit(head)
    bytes.writeUInt32LE(crc32(bytes.subarray(start, rows)), offset + 36)
  }
  return bytes
}

/** Of a segment that is one part. */
function digestOf(segment: Uint8Array): Buffer {
  const hash = createHash('sha256')
  for (const { offset, rows } of framesOf(segment)) hash.update(segment.subarray(offset, rows))
  return hash.digest()
}

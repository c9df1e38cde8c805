/** Journals of one commit, made by hand: every checksum is right, whatever heads, rows, payloads and snapshots say. */
import { createHash } from 'node:crypto'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { encode } from '../../src/journal/codec.ts'
import { encodeSnapshot } from '../../src/journal/snapshot.ts'
import { encodeFrame, frameFlags } from '../../src/log/frame.ts'
import type { Part } from '../../src/log/part.ts'
import { snapshotName } from '../../src/log/names.ts'
import { commitHash } from '../../src/log/recovery.ts'
import { encodeSegmentHeader, segmentHeaderBytes } from '../../src/log/segment.ts'
import { seededBytes } from './seeded.ts'

export const directory = '/storage'
const id = '3f2b8a52-6c1d-4a7e-9d53-0a1b2c3d4e5f'
const journalId = Buffer.from(id.replaceAll('-', ''), 'hex')
export const manifest = Buffer.from(JSON.stringify({ format: 1, id, created: '', requires: [] }))
const random = seededBytes(1)

interface HandmadeEvent {
  head: Uint8Array
  rows: Uint8Array[]
  payload?: Uint8Array
  isMatrix?: boolean
}

export interface Handmade {
  folder: string
  events: HandmadeEvent[]
  /** Instead of what a commit's head says. */
  commitHead?: ((head: unknown[]) => unknown) | undefined
  commitRow?: Uint8Array | undefined
  /** Sections of snapshots of this commit. */
  snapshots?: Record<string, Map<string, Uint8Array>>
}

export function event(
  type: string,
  rows: unknown[],
  { payload = new Uint8Array(0), dimensions }: { payload?: Uint8Array; dimensions?: number } = {},
): HandmadeEvent {
  const isMatrix = dimensions !== undefined
  return {
    head: encode(isMatrix ? [type, 1, dimensions] : [type, 1]),
    rows: rows.map(encode),
    payload,
    isMatrix,
  }
}

export function header(folder: string, number = 1): Buffer {
  return encodeSegmentHeader({ journalId, session: new Uint8Array(16), folder, number })
}

export function journalOf({ folder, events, commitHead, commitRow, snapshots = {} }: Handmade): MemoryDisk {
  const frames = events.map(({ head, rows, payload = new Uint8Array(0), isMatrix }) =>
    encodeFrame({
      flags: isMatrix ? frameFlags.matrix : 0,
      head,
      items: rows.map((row) => ({ row, payload })),
      syncedThrough: 0,
      random,
    }),
  )
  const digest = createHash('sha256')
  for (const frame of frames) digest.update(frame.hashed)
  const to = frames.reduce((end, frame) => end + frame.sizeBytes, segmentHeaderBytes)
  const part = {
    folder,
    segment: 1,
    from: segmentHeaderBytes,
    to,
    frames: frames.length,
    digest: digest.digest(),
  }
  const commit = commitFrame(part, { commitHead, commitRow })
  const disk = new MemoryDisk()
  disk.put(`${directory}/varve.json`, manifest)
  disk.put(`${directory}/commits/0000000001.log`, Buffer.concat([header('commits'), ...commit.chunks]))
  disk.put(
    `${directory}/${folder}/0000000001.log`,
    Buffer.concat([header(folder), ...frames.flatMap(({ chunks }) => chunks)]),
  )
  for (const [subject, sections] of Object.entries(snapshots)) {
    const hash = commitHash(commit.hashed)
    const chunks = encodeSnapshot({ journalId, subject, commit: 1, hash }, sections)
    disk.put(`${directory}/snapshots/${snapshotName(1, subject)}`, Buffer.concat(chunks))
  }
  return disk
}

/** A second segment of the commit log, with whatever stands in the place of its seal. */
export function putSeal(disk: MemoryDisk, head: unknown): void {
  const seal = encodeFrame({
    flags: frameFlags.seal,
    head: encode(head),
    items: [],
    syncedThrough: 0,
    random,
  })
  disk.put(`${directory}/commits/0000000002.log`, Buffer.concat([header('commits', 2), ...seal.chunks]))
}

function commitFrame(
  part: Part,
  { commitHead, commitRow }: Pick<Handmade, 'commitHead' | 'commitRow'>,
): ReturnType<typeof encodeFrame> {
  const { folder, segment, from, to, frames, digest } = part
  const places = [[folder, segment, from, to, frames, digest]]
  const head = ['Commit', 1, 1, new Uint8Array(32), 0, 'data', places]
  return encodeFrame({
    head: encode(commitHead ? commitHead(head) : head),
    items: [{ row: commitRow ?? encode({}) }],
    syncedThrough: 0,
    random,
  })
}

/** A commit: what its frame in the commit log says, and how that is written. */
import { encodeFrame, frameFlags, type EncodedFrame } from '../log/frame.ts'
import type { ReadFrame } from '../log/frame-reader.ts'
import type { Part } from '../log/part.ts'
import type { CommitLink, Heads, Seal } from '../log/recovery.ts'
import { isStoreFolder } from '../log/names.ts'
import { VarveError } from '../errors.ts'
import { decode, encode } from './codec.ts'

export type CommitKind = 'data' | 'import' | 'replace' | 'tag' | 'revert' | 'restore' | 'erase'

/** A tag that is given to a commit, or taken away. */
export interface TagChange {
  name: string
  /** `undefined`: no commit has this name any more. */
  commit: number | undefined
}

/** What a caller may say about a commit. It cannot be erased later. */
export interface CommitNote {
  message?: string
  actor?: string
  /** Anything msgpack can say. */
  metadata?: Record<string, unknown>
}

export interface Commit extends CommitNote {
  number: number
  /** SHA-256, in hex. */
  hash: string
  time: Date
  kind: CommitKind
  /** Of kind `tag`: the tag, and the commit it names from now on; `undefined`: none. */
  tag?: TagChange
}

export interface CommitInput {
  number: number
  previous: Uint8Array
  timeMs: number
  kind: CommitKind
  note: CommitNote
  parts: Part[]
  /** True names of the folders that this commit is the first to name, where they differ from the folder's. */
  names: Record<string, string>
  tag?: TagChange | undefined
  syncedThrough: number
  random: (target: Uint8Array) => void
}

export interface DecodedCommit extends CommitLink {
  timeMs: number
  kind: CommitKind
  note: CommitNote
  names: Record<string, string>
  tag?: TagChange
}

export function encodeCommit({
  number,
  previous,
  timeMs,
  kind,
  note,
  parts,
  names,
  tag,
  syncedThrough,
  random,
}: CommitInput): EncodedFrame {
  const places = parts.map(({ folder, segment, from, to, frames, digest }) => [
    folder,
    segment,
    from,
    to,
    frames,
    digest,
  ])
  const row = {
    ...note,
    ...(Object.keys(names).length ? { names } : {}),
    ...(tag ? { tag: [tag.name, tag.commit ?? null] } : {}),
  }
  return encodeFrame({
    head: encode(['Commit', 1, number, previous, timeMs, kind, places]),
    items: [{ row: encode(row) }],
    syncedThrough,
    random,
  })
}

export function decodeCommit(frame: ReadFrame): DecodedCommit {
  const head = decodeHead(frame, 'Commit')
  const [, , number, previous, timeMs, kind, places] = head as [
    string,
    number,
    number,
    Uint8Array,
    number,
    CommitKind,
    unknown[][],
  ]
  const row = frame.items[0] ? (decoded(frame, frame.items[0].row) as CommitRow) : {}
  const { names = {}, tag, ...note } = row
  return {
    number,
    previous,
    timeMs,
    kind,
    note,
    names,
    ...(tag ? { tag: { name: tag[0], commit: tag[1] ?? undefined } } : {}),
    parts: places.map(toPart),
  }
}

type CommitRow = CommitNote & { names?: Record<string, string>; tag?: [name: string, commit: number | null] }

export function encodeMark({
  close,
  syncedThrough,
  random,
}: {
  close: boolean
  syncedThrough: number
  random: CommitInput['random']
}): EncodedFrame {
  const flags = frameFlags.mark | (close ? frameFlags.close : 0)
  return encodeFrame({ flags, head: encode(['Mark', 1]), items: [], syncedThrough, random })
}

export function encodeSeal(
  seal: Seal,
  { syncedThrough, random }: Pick<CommitInput, 'syncedThrough' | 'random'>,
): EncodedFrame {
  const head = encode(['Seal', 1, seal.segment, seal.length, seal.number, seal.hash])
  return encodeFrame({ flags: frameFlags.seal, head, items: [], syncedThrough, random })
}

export const heads: Heads = {
  commit: decodeCommit,
  seal(frame) {
    const [, , segment, length, number, hash] = decodeHead(frame, 'Seal') as [
      string,
      number,
      number,
      number,
      number,
      Uint8Array,
    ]
    return { segment, length, number, hash }
  },
}

export function toCommit({
  number,
  hash,
  timeMs,
  kind,
  note,
  tag,
}: Omit<DecodedCommit, 'tag'> & { hash: Uint8Array; tag?: TagChange | undefined }): Commit {
  return {
    number,
    hash: Buffer.from(hash).toString('hex'),
    time: new Date(timeMs),
    kind,
    ...note,
    ...(tag ? { tag } : {}),
  }
}

function decodeHead(frame: ReadFrame, type: string): unknown[] {
  const head = decoded(frame, frame.head)
  if (Array.isArray(head) && head[0] === type && head[1] === 1) return head
  const seen = Array.isArray(head) ? `${String(head[0])} ${String(head[1])}` : 'something else'
  if (Array.isArray(head) && head[0] === type)
    throw new VarveError('VARVE_NEWER', `The commit log holds a ${seen}, of a newer Varve.`)
  throw new VarveError(
    'VARVE_CORRUPT',
    `The commit log holds a ${seen} where a ${type} belongs, at offset ${frame.offset}.`,
    { offset: frame.offset },
  )
}

/** Only a hostile hand writes bytes that meet their checksums and are no msgpack. */
function decoded(frame: ReadFrame, bytes: Uint8Array): unknown {
  try {
    return decode(bytes)
  } catch (cause) {
    throw new VarveError(
      'VARVE_CORRUPT',
      `The commit log holds what is no msgpack, at offset ${frame.offset}.`,
      { offset: frame.offset, cause },
    )
  }
}

function toPart(place: unknown[]): Part {
  const [folder, segment, from, to, frames, digest] = place as [
    string,
    number,
    number,
    number,
    number,
    Uint8Array,
  ]
  if (typeof folder !== 'string' || !isStoreFolder(folder))
    throw new VarveError(
      'VARVE_CORRUPT',
      `A commit names the folder ${JSON.stringify(folder)}, which no store can have.`,
      { folder },
    )
  if (![segment, from, to, frames].every(Number.isSafeInteger) || !(digest instanceof Uint8Array))
    throw new VarveError('VARVE_CORRUPT', `A commit names a part of ${folder} that cannot be.`, { folder })
  return { folder, segment, from, to, frames, digest }
}

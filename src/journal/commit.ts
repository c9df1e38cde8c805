/** A commit: what its frame in the commit log says, and how that is written. */
import { encodeFrame, frameFlags, type EncodedFrame } from '../log/frame.ts'
import type { ReadFrame } from '../log/frame-reader.ts'
import type { Part } from '../log/part.ts'
import type { CommitLink, Heads, LogPlace, Seal } from '../log/recovery.ts'
import { commitsFolder } from '../log/names.ts'
import { VarveError } from '../errors.ts'
import { encode, tryDecode } from './codec.ts'
import { partFromPlain, partToPlain, plainPart, storeFolder, type PlainPart } from './plain-part.ts'
import {
  count,
  digest,
  fields,
  isObject,
  listOf,
  oneOf,
  orNull,
  positive,
  recordOf,
  text,
  tuple,
  type Shape,
} from './shape.ts'

export type CommitKind =
  | 'data'
  | 'import'
  | 'replace'
  | 'tag'
  | 'revert'
  | 'restore'
  | 'erase'
  | 'erase finished'

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
  /** What metadata may be anywhere. */
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
  const places = parts.map((part) => [part.folder, ...partToPlain(part)])
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

/** Throws `VARVE_CORRUPT` naming the place; `VARVE_NEWER`. */
export function decodeCommit(frame: ReadFrame, segment: number): DecodedCommit {
  const place = { segment, offset: frame.offset }
  const [, , number, previous, timeMs, kind, places] = decodeHead(frame, place, {
    type: 'Commit',
    shape: commitHead,
  }) as [string, number, number, Uint8Array, number, CommitKind, [folder: string, ...PlainPart][]]
  const row = frame.items[0] ? tryDecode(frame.items[0].row) : {}
  if (frame.items.length > 1 || !isNote(row))
    throw damaged(place, `what is said of commit ${number} cannot be read`)
  const { names = {}, tag, ...note } = row as CommitRow
  const parts = places.map(([folder, ...part]) => partFromPlain(folder, part))
  const change = tag && { tag: { name: tag[0], commit: tag[1] ?? undefined } }
  return { number, previous, timeMs, kind, note, names, parts, ...change }
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
  seal(frame, at) {
    const place = { segment: at, offset: frame.offset }
    const [, , segment, length, number, hash] = decodeHead(frame, place, {
      type: 'Seal',
      shape: sealHead,
    }) as [string, number, number, number, number, Uint8Array]
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

/** The last moment that a `Date` knows. */
const lastTimeMs = 8.64e15
const isTime: Shape = (value) => count(value) && (value as number) <= lastTimeMs

const isPlace: Shape = (value) => Array.isArray(value) && storeFolder(value[0]) && plainPart(value.slice(1))
const commitHead = tuple(oneOf('Commit'), oneOf(1), count, digest, isTime, text, listOf(isPlace))
const sealHead = tuple(oneOf('Seal'), oneOf(1), count, count, count, digest)
const isNote = fields({
  message: text,
  actor: text,
  metadata: isObject,
  names: recordOf(storeFolder, text),
  tag: tuple(text, orNull(positive)),
})

function decodeHead(
  frame: ReadFrame,
  place: LogPlace,
  { type, shape }: { type: string; shape: Shape },
): unknown[] {
  const head = tryDecode(frame.head)
  if (shape(head)) return head as unknown[]
  const [found, version] = Array.isArray(head) ? (head as unknown[]) : []
  if (found !== type) throw damaged(place, `something else stands where a ${type} belongs`)
  if (typeof version === 'number' && version > 1)
    throw new VarveError('VARVE_NEWER', `The commit log holds a ${type} of version ${version}.`, { ...place })
  throw damaged(place, `this is no ${type} that any version wrote`)
}

function damaged(place: LogPlace, fault: string): VarveError {
  const { segment, offset } = place
  return new VarveError(
    'VARVE_CORRUPT',
    `The commit log is damaged in segment ${segment} at offset ${offset}: ${fault}.`,
    {
      store: commitsFolder,
      ...place,
      fault,
    },
  )
}

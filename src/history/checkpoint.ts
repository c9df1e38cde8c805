/** Checkpoints (c2sp.org/tlog-checkpoint): a signed note that says how many commits a journal has, and the root of the Merkle tree over their hashes. */
import { VarveError } from '../errors.ts'
import { hashBytes } from './merkle-tree.ts'
import { decodeBase64, parseVerifierKey, type NoteKey } from './note-key.ts'
import { parseNote, signNote, verifyNote } from './signed-note.ts'

export interface Checkpoint {
  /** Which journal it is about: `varve/<its id>`, or what its owner calls it. */
  origin: string
  /** So many commits it saw: 1 to `size`. */
  size: number
  /** Of the tree over their hashes (RFC 6962). */
  root: Uint8Array
}

export interface VerifyCheckpointOptions {
  /** Of the key that must have signed: `NAME+ID+KEY`. */
  vkey: string
  /** What it must be about. */
  origin?: string
}

export function signCheckpoint({ origin, size, root }: Checkpoint, signer: NoteKey): string {
  return signNote(`${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`, signer)
}

/** Throws `VARVE_BAD_PROOF` if it is none, `VARVE_NOT_PROVEN` if that key did not sign it or it is about something else, `VARVE_BAD_OPTION` for a bad key. */
export function verifyCheckpoint(signed: string, { vkey, origin }: VerifyCheckpointOptions): Checkpoint {
  const checkpoint = parseText(verifyNote(signed, parseVerifierKey(vkey)))
  if (origin !== undefined && checkpoint.origin !== origin)
    throw new VarveError('VARVE_NOT_PROVEN', `It is about ${checkpoint.origin}, not about ${origin}.`, {
      remedy: 'Give the checkpoint of this journal.',
      origin: checkpoint.origin,
    })
  return checkpoint
}

/** What it says, whoever signed it. Throws `VARVE_BAD_PROOF`. */
export function readCheckpoint(signed: string): Checkpoint {
  return parseText(parseNote(signed).text)
}

/** A decimal number as these formats write it; `undefined` otherwise. */
export function parseSize(text: string): number | undefined {
  const size = Number(text)
  return /^(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(size) ? size : undefined
}

/** One hash, as these formats write it; `undefined` otherwise. */
export function parseHash(text: string): Uint8Array | undefined {
  const hash = decodeBase64(text)
  return hash?.length === hashBytes ? hash : undefined
}

/** Lines behind the third may say anything, and mean nothing here. */
function parseText(text: string): Checkpoint {
  const [origin = '', sizeLine = '', rootLine = '', ...more] = text.slice(0, -1).split('\n')
  const size = parseSize(sizeLine)
  const root = parseHash(rootLine)
  if (origin !== '' && size !== undefined && root && more.every(Boolean)) return { origin, size, root }
  throw new VarveError('VARVE_BAD_PROOF', 'This is not a checkpoint: origin, number of commits, root.')
}

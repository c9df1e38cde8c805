/** Checkpoints and proofs of a directory: what its owner makes for others to verify. */
import type { Disk } from '../disk/disk.ts'
import { shown, VarveError } from '../errors.ts'
import type { Manifest } from '../journal/manifest.ts'
import { readCheckpoint, signCheckpoint, type Checkpoint } from './checkpoint.ts'
import { readCommitHashes } from './commit-hashes.ts'
import { formatConsistencyProof } from './consistency-proof.ts'
import { formatInclusionProof } from './inclusion-proof.ts'
import { consistencyPath, inclusionPath, merkleRoot } from './merkle-tree.ts'
import { parseSignerKey, type NoteKey } from './note-key.ts'

export interface CheckpointOptions {
  /** `PRIVATE+KEY+…`, or the same with its key as `node:crypto` has it. */
  key: string | NoteKey
  /** What the checkpoint calls the journal, now and ever after; `varve/<its id>` unless given. */
  origin?: string
  /** A commit that the caller knows to be durable, since its `persist()` has resolved. */
  durable?: number
  /** The last checkpoint of this journal: none is signed that contradicts it. */
  previous?: string
  signal?: AbortSignal
}

export interface SignedCheckpoint extends Checkpoint {
  /** The signed note. */
  text: string
  /** Commits behind it that a crash could still take back as far as a reader can see: a checkpoint must never be wrong later. */
  uncovered: number
}

/**
 * Throws what reading throws; `VARVE_CORRUPT` for a damaged commit log; `VARVE_NOT_PROVEN` if history is not the one that `previous` saw;
 * `VARVE_BAD_PROOF`, `VARVE_BAD_OPTION`.
 */
export async function checkpointDirectory(
  disk: Disk,
  directory: string,
  { key, origin, durable = 0, previous, signal }: CheckpointOptions,
): Promise<SignedCheckpoint> {
  const signer = typeof key === 'string' ? parseSignerKey(key) : key
  const before = previous === undefined ? undefined : readCheckpoint(previous)
  const { hashes, ...read } = await readCommitHashes(disk, directory, signal)
  if (read.damage) throw read.damage
  if (before) mustHaveSeen(hashes, before, directory)
  const size = Math.min(hashes.length, Math.max(read.durable, durable, before?.size ?? 0))
  if (size === 0)
    throw new VarveError('VARVE_NOT_FOUND', `${directory} has no commit that is known to be durable.`, {
      remedy: 'Close its writer, or flush() there, and ask again.',
    })
  const name = originOf(origin, read.manifest, directory)
  if (before && before.origin !== name)
    throw new VarveError(
      'VARVE_NOT_PROVEN',
      `The last checkpoint is about ${before.origin}, not about ${name}.`,
      {
        remedy: 'Call the journal by one name, or keep its checkpoints apart from those of another.',
      },
    )
  const checkpoint = { origin: name, size, root: merkleRoot(hashes, size) }
  return { ...checkpoint, text: signCheckpoint(checkpoint, signer), uncovered: hashes.length - size }
}

export interface CommitProof {
  number: number
  /** In hex. */
  hash: string
  /** To be verified with `verifyInclusion`, or by any tool that reads c2sp.org/tlog-proof. */
  text: string
}

/** Proves that a commit is in the history that a checkpoint saw, whoever signed it. Throws `VARVE_NOT_PROVEN` if it is not, or that history is not this one. */
export async function proveCommit(
  disk: Disk,
  directory: string,
  { commit, checkpoint, signal }: { commit: number; checkpoint: string; signal?: AbortSignal },
): Promise<CommitProof> {
  const seen = readCheckpoint(checkpoint)
  const hashes = await readSeen(disk, directory, { seen, signal })
  if (commit < 1 || commit > seen.size)
    throw new VarveError(
      'VARVE_NOT_PROVEN',
      `The checkpoint saw commits 1 to ${seen.size}, and no ${commit}.`,
      {
        remedy: 'Make a new checkpoint, or check the number.',
        commit,
      },
    )
  const text = formatInclusionProof(commit, inclusionPath(hashes, commit - 1, seen.size), checkpoint)
  return { number: commit, hash: Buffer.from(hashes[commit - 1]!).toString('hex'), text }
}

export interface ConsistencyProof {
  old: number
  size: number
  /** To be verified with `verifyConsistency`, or by any witness of c2sp.org/tlog-witness. */
  text: string
}

/** Proves that a checkpoint's history goes on where an older one's ended. Throws `VARVE_NOT_PROVEN` if it does not, or is not the one here. */
export async function proveConsistency(
  disk: Disk,
  directory: string,
  { old, checkpoint, signal }: { old: string; checkpoint: string; signal?: AbortSignal },
): Promise<ConsistencyProof> {
  const [before, seen] = [readCheckpoint(old), readCheckpoint(checkpoint)]
  const hashes = await readSeen(disk, directory, { seen, signal })
  if (before.size > seen.size)
    throw new VarveError(
      'VARVE_NOT_PROVEN',
      `The newer checkpoint saw ${seen.size} commits, the older one ${before.size}.`,
      { remedy: 'Check their order; if it is right, history was cut short.' },
    )
  mustHaveSeen(hashes, before, directory)
  const path = before.size === 0 ? [] : consistencyPath(hashes, before.size, seen.size)
  return { old: before.size, size: seen.size, text: formatConsistencyProof(before.size, path, checkpoint) }
}

/** The hashes of all commits that a checkpoint saw, and of later ones. */
async function readSeen(
  disk: Disk,
  directory: string,
  { seen, signal }: { seen: Checkpoint; signal: AbortSignal | undefined },
): Promise<Uint8Array[]> {
  const { hashes, damage } = await readCommitHashes(disk, directory, signal)
  if (hashes.length < seen.size && damage) throw damage
  mustHaveSeen(hashes, seen, directory)
  return hashes
}

function mustHaveSeen(hashes: readonly Uint8Array[], { size, root }: Checkpoint, directory: string): void {
  const isCut = hashes.length < size
  if (!isCut && Buffer.from(root).equals(merkleRoot(hashes, size))) return
  const fact = isCut
    ? `The checkpoint saw ${size} commits; ${directory} has ${hashes.length}.`
    : `The checkpoint saw other commits 1 to ${size} than stand in ${directory}.`
  const what = isCut ? 'cut short' : 'rewritten'
  throw new VarveError('VARVE_NOT_PROVEN', fact, {
    remedy: `Check that it is the checkpoint of this directory; if it is, history was ${what}.`,
  })
}

function originOf(given: string | undefined, manifest: Manifest | undefined, directory: string): string {
  if (given === undefined && manifest) return `varve/${manifest.id}`
  if (given === undefined)
    throw new VarveError('VARVE_CORRUPT', `${directory} cannot be called by its id: varve.json is damaged.`)
  if (/^[^\p{Cc}\p{Cs}]+$/u.test(given)) return given
  throw new VarveError('VARVE_BAD_OPTION', `An origin cannot be ${shown(given)}.`, {
    remedy: 'Give one line of text.',
  })
}

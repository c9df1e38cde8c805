/**
 * Proofs that one checkpoint's history goes on where another's ended, written as witnesses take them (c2sp.org/tlog-witness, add-checkpoint). To
 * verify one takes both checkpoints and a key: no directory.
 */
import { VarveError } from '../errors.ts'
import { parseSize, verifyCheckpoint, type Checkpoint, type VerifyCheckpointOptions } from './checkpoint.ts'
import { isConsistent } from './merkle-tree.ts'
import { formatProof, notOfItsForm, parseProof } from './proof-text.ts'

export interface ProvenConsistency {
  old: Checkpoint
  new: Checkpoint
}

export function formatConsistencyProof(oldSize: number, path: Uint8Array[], checkpoint: string): string {
  return formatProof({ claim: [`old ${oldSize}`], path, checkpoint })
}

/**
 * `old` is a checkpoint that was kept; the newer one stands in the proof. Throws `VARVE_BAD_PROOF` for what is no proof, `VARVE_NOT_PROVEN` if history was
 * rewritten or cut short between them as far as this proof shows, `VARVE_BAD_OPTION`.
 */
export function verifyConsistency(
  old: string,
  proof: string,
  options: VerifyCheckpointOptions,
): ProvenConsistency {
  const { claim, path, checkpoint } = parseProof(proof, (line) => line.startsWith('old '))
  const size = parseSize(claim.join().slice('old '.length))
  if (size === undefined) throw notOfItsForm()
  const before = verifyCheckpoint(old, options)
  const after = verifyCheckpoint(checkpoint, { origin: before.origin, ...options })
  if (size === before.size && isConsistent({ ...after, old: before, path }))
    return { old: before, new: after }
  const fact =
    after.size < before.size
      ? `It has ${after.size} commits, where there were ${before.size} before.`
      : `It does not prove that the first ${before.size} commits are still what they were.`
  throw new VarveError('VARVE_NOT_PROVEN', fact, {
    remedy: 'Ask for a proof between these two checkpoints; if there is none, history was changed.',
  })
}

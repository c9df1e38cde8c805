/** Proofs that a commit is in a history (c2sp.org/tlog-proof). To verify one takes the proof, a key, and the commit's hash: no directory. */
import { VarveError } from '../errors.ts'
import { parseSize, verifyCheckpoint, type Checkpoint, type VerifyCheckpointOptions } from './checkpoint.ts'
import { isIncluded } from './merkle-tree.ts'
import { formatProof, notOfItsForm, parseProof } from './proof-text.ts'

const firstLine = 'c2sp.org/tlog-proof@v1'
/** Extra data is anybody's: nothing vouches for it, and it means nothing here. */
const claimForm = /^c2sp\.org\/tlog-proof@v1\n(?:extra \S*\n)?index (\d+)$/

export interface VerifyInclusionOptions extends VerifyCheckpointOptions {
  /** The commit's, in hex. */
  hash: string
}

export interface ProvenCommit {
  number: number
  checkpoint: Checkpoint
}

export function formatInclusionProof(number: number, path: Uint8Array[], checkpoint: string): string {
  return formatProof({ claim: [firstLine, `index ${number - 1}`], path, checkpoint })
}

/**
 * Answers which commit it is. Throws `VARVE_BAD_PROOF` for what is no proof, `VARVE_NOT_PROVEN` if the commit of that hash is not shown to be there,
 * `VARVE_BAD_OPTION`.
 */
export function verifyInclusion(proof: string, { hash, ...options }: VerifyInclusionOptions): ProvenCommit {
  const { claim, path, checkpoint: signed } = parseProof(proof, isClaim)
  const [, index] = claim.join('\n').match(claimForm)?.map(parseSize) ?? []
  if (index === undefined) throw notOfItsForm()
  const checkpoint = verifyCheckpoint(signed, options)
  const number = index + 1
  if (isIncluded({ ...checkpoint, leaf: Buffer.from(hash, 'hex'), index, path }))
    return { number, checkpoint }
  throw new VarveError('VARVE_NOT_PROVEN', `It does not prove that commit ${number} has the hash ${hash}.`, {
    remedy: 'Check that proof and hash are of the same commit; else trust neither.',
    commit: number,
  })
}

function isClaim(line: string): boolean {
  return line === firstLine || /^(extra|index) /.test(line)
}

/** Proofs as text: a line that says what is proven, a hash a line, an empty line, and the checkpoint that it is proven against. */
import { VarveError } from '../errors.ts'
import { parseHash } from './checkpoint.ts'

/** No tree of numbers that JavaScript can count needs more. */
const mostHashes = 128

export interface ProofText {
  /** Lines before the hashes. */
  claim: string[]
  path: Uint8Array[]
  /** As it was signed. */
  checkpoint: string
}

export function formatProof({ claim, path, checkpoint }: ProofText): string {
  const hashes = path.map((hash) => Buffer.from(hash).toString('base64'))
  return `${[...claim, ...hashes].join('\n')}\n\n${checkpoint}`
}

/** Throws `VARVE_BAD_PROOF`. */
export function parseProof(proof: string, isClaim: (line: string) => boolean): ProofText {
  const end = proof.indexOf('\n\n')
  const lines = proof.slice(0, Math.max(0, end)).split('\n')
  const claims = lines.findIndex((line) => !isClaim(line))
  const claim = lines.slice(0, claims < 0 ? lines.length : claims)
  const hashes = lines.slice(claim.length)
  const path = hashes.map(parseHash).filter((hash) => hash !== undefined)
  if (end < 0 || path.length < hashes.length || path.length > mostHashes) throw notOfItsForm()
  return { claim, path, checkpoint: proof.slice(end + 2) }
}

export function notOfItsForm(): VarveError {
  return new VarveError('VARVE_BAD_PROOF', 'This is not such a proof: what it claims, hashes, a checkpoint.')
}

/** What `varve verify --against` is given: a number and a hash, or the file of a checkpoint with the key that must have signed it. */
import type { Disk } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import type { Anchor } from '../history/anchor.ts'
import { verifyCheckpoint } from '../history/checkpoint.ts'
import { readText } from './text-files.ts'

/** Throws `VARVE_NOT_PROVEN` for a checkpoint that the key did not sign, `VARVE_BAD_PROOF` for what is neither, `VARVE_BAD_OPTION` without a key. */
export async function givenAnchor(disk: Disk, against: string, vkey: string | undefined): Promise<Anchor> {
  const pair = parsePair(against)
  if (pair) return pair
  const text = await readText(disk, against)
  const kept = parsePair(text.trim())
  if (kept) return kept
  if (vkey !== undefined) return verifyCheckpoint(text, { vkey })
  throw new VarveError('VARVE_BAD_OPTION', `Nothing tells who must have signed ${against}.`, {
    remedy: 'Give the key with --vkey, or number and hash of a commit as NUMBER:HASH.',
  })
}

/** `12:9f86…`: the hash whole, as `varve log --json` shows it. */
function parsePair(text: string): { number: number; hash: string } | undefined {
  const [, number, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/i.exec(text) ?? []
  return hash === undefined ? undefined : { number: Number(number), hash }
}

/** A place in one history: the number of a commit, and its hash, by which a later reader knows whether it is still the same history. */
import { VarveError } from '../errors.ts'
import type { CommitSummary } from '../journal/catalog.ts'
import { readCommit, type CommitLog } from '../journal/read-commit.ts'

export interface Token {
  number: number
  hash: string
}

const shape = /^(\d{1,15}):([0-9a-f]{64})$/

export function tokenOf({ number, hash }: Pick<CommitSummary, 'number' | 'hash'>): string {
  return `${number}:${Buffer.from(hash).toString('hex')}`
}

/** `undefined`: it is none. */
export function parseToken(text: unknown): Token | undefined {
  const [, number, hash] = (typeof text === 'string' && shape.exec(text)) || []
  return hash === undefined ? undefined : { number: Number(number), hash }
}

/** Throws `VARVE_OTHER_HISTORY` unless the commit stands in this log. */
export async function checkToken(
  { number, hash }: Token,
  log: CommitLog | undefined,
  directory: string,
): Promise<void> {
  const last = log?.catalog.end.number ?? 0
  if (number === 0) return
  if (!log || number > last) throw otherHistory(directory, `it has ${last} commits, and not ${number}`)
  const found = Buffer.from((await readCommit(log, number)).hash).toString('hex')
  if (found !== hash) throw otherHistory(directory, `its commit ${number} is another one`)
}

export function otherHistory(
  directory: string,
  what: string,
  fields: Record<string, unknown> = {},
): VarveError {
  const fact = `${directory} holds another history than was followed: ${what}.`
  return new VarveError('VARVE_OTHER_HISTORY', fact, { directory, ...fields })
}

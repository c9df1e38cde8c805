/**
 * Names of a commit: a number, `HEAD` and `HEAD~2`, a tag, a hash of at least four digits, a date; tried in this
 * order. A moment is the number of the commit that was the last then; 0: before the first.
 */
import { shown, VarveError } from '../errors.ts'
import { commitHashes, readCommit, type CommitLog } from './read-commit.ts'

export type Moment = number | string | Date

const head = /^HEAD(?:~(\d{1,15}))?$/
const digits = /^\d{1,15}$/
const hash = /^[0-9a-f]{4,64}$/i
const date = /^\d{4}-\d{2}(-\d{2}(T\d{2}:\d{2}.*)?)?$/

/** Throws `VARVE_BAD_MOMENT` for what names none, `VARVE_NO_SUCH_MOMENT`. */
export async function resolveMoment(log: CommitLog, moment: Moment): Promise<number> {
  if (moment instanceof Date) return atTime(log, timeOf(moment.getTime(), moment))
  if (typeof moment === 'number') return numbered(log, moment, moment)
  if (typeof moment !== 'string') throw badMoment(moment, 'is no moment')
  const last = log.catalog.end.number
  const number = Number(moment)
  if (digits.test(moment) && number <= last) return number
  const back = head.exec(moment)
  if (back) return numbered(log, last - Number(back[1] ?? 0), moment)
  const tagged = log.catalog.tags.get(moment)
  if (tagged !== undefined) return tagged
  if (hash.test(moment)) return byHash(log, moment.toLowerCase())
  if (digits.test(moment)) return numbered(log, number, moment)
  if (date.test(moment)) return atTime(log, timeOf(Date.parse(moment), moment))
  throw missing(log, moment, 'there is no such tag')
}

/** What may be a tag: whatever is no other kind of moment, and stands on one line. */
export function checkTag(name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '') throw badTag(name, 'is no text')
  if (Buffer.byteLength(name) > 255) throw badTag(name, 'is longer than 255 bytes')
  if (/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u.test(name) || name.trim() !== name)
    throw badTag(name, 'has spaces around it, or characters that cannot be seen')
  for (const [shape, kind] of [
    [digits, 'a number'],
    [/^HEAD/i, 'HEAD'],
    [hash, 'a hash'],
    [/^\d{4}-\d{2}/, 'a date'],
  ] as const)
    if (shape.test(name)) throw badTag(name, `looks like ${kind}`)
}

function numbered(log: CommitLog, number: number, moment: Moment): number {
  if (Number.isSafeInteger(number) && number >= 0 && number <= log.catalog.end.number) return number
  if (typeof moment === 'number' && !(Number.isSafeInteger(number) && number >= 0))
    throw badMoment(moment, 'is no number of a commit')
  throw missing(log, moment, 'that is none of them')
}

async function byHash(log: CommitLog, prefix: string): Promise<number> {
  const found: { number: number; hash: string }[] = []
  for await (const each of commitHashes(log)) if (each.hash.startsWith(prefix)) found.push(each)
  if (found.length === 1) return found[0]!.number
  if (found.length === 0)
    throw missing(log, prefix, 'none has a hash that begins so, and there is no such tag')
  throw badMoment(prefix, `begins the hashes of commits ${found.map(({ number }) => number).join(' and ')}`)
}

/** The last commit at or before a time; times never go back. */
async function atTime(log: CommitLog, timeMs: number): Promise<number> {
  let [before, after] = [0, log.catalog.end.number + 1]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if ((await readCommit(log, middle)).timeMs <= timeMs) before = middle
    else after = middle
  }
  return before
}

function timeOf(timeMs: number, moment: Moment): number {
  if (Number.isNaN(timeMs)) throw badMoment(moment, 'is no date')
  return timeMs
}

function missing({ catalog }: CommitLog, moment: Moment, reason: string): VarveError {
  const last = catalog.end.number
  const range = last === 1 ? 'one commit, number 1' : `commits 1 to ${last}`
  const fact = `There is no moment ${shown(moment)}: this history has ${range}, and ${reason}.`
  return new VarveError('VARVE_NO_SUCH_MOMENT', fact, { moment, last })
}

function badMoment(moment: unknown, reason: string): VarveError {
  return new VarveError('VARVE_BAD_MOMENT', `${shown(moment)} ${reason}.`, { moment })
}

function badTag(name: unknown, reason: string): VarveError {
  return new VarveError('VARVE_BAD_TAG', `The tag ${shown(name)} ${reason}.`, { tag: name })
}

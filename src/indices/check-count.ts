/** Numbers of things, given as options. */
import { VarveError } from '../errors.ts'

export function checkCount(name: string, count: number): number {
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new VarveError('VARVE_BAD_OPTION', `${name} is ${String(count)}.`, {
    remedy: 'Give a whole number above 0.',
  })
}

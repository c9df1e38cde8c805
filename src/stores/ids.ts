/** What may be an id: any string that UTF-8 can carry, within a length that keeps rows small. */
import { shown, VarveError } from '../errors.ts'
import { isWellFormed } from './wtf8.ts'

const maxIdBytes = 8_192

/** Answers the id. `what` names it in the error: `node id`, `index id`, … */
export function checkId(id: unknown, what: string): string {
  if (typeof id !== 'string') throw badId(what, `must be a string, not ${id === null ? 'null' : typeof id}.`)
  if (id === '') throw badId(what, 'is empty.')
  if (!isWellFormed(id)) throw badId(what, 'holds half of a surrogate pair, which UTF-8 cannot carry.', id)
  // A UTF-16 unit takes three bytes at most, so most ids need no counting.
  const sizeBytes = id.length * 3 <= maxIdBytes ? 0 : Buffer.byteLength(id)
  if (sizeBytes > maxIdBytes) throw badId(what, `has ${sizeBytes} bytes.`, id.slice(0, 64))
  return id
}

/** For callers without types: to JavaScript, a string is a list of its letters. `call` is named in the error. */
export function checkList<T>(list: readonly T[], call: string): readonly T[] {
  if (Array.isArray(list)) return list
  throw new TypeError(`${call} takes a list: put what you gave it into [ ].`)
}

const maxNamespaceBytes = 1_024

export function checkNamespace(namespace: unknown): string {
  const isName = typeof namespace === 'string' && namespace !== '' && isWellFormed(namespace)
  if (isName && Buffer.byteLength(namespace) <= maxNamespaceBytes) return namespace
  const fact = isName
    ? `A namespace has ${Buffer.byteLength(namespace)} bytes.`
    : `This is no namespace: ${shown(namespace)}.`
  throw new VarveError('VARVE_BAD_NAMESPACE', fact, { namespace })
}

function badId(what: string, fact: string, id?: string): VarveError {
  return new VarveError('VARVE_BAD_ID', `A ${what} ${fact}`, { what, id })
}

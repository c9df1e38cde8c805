/** Steps into a LlamaIndex file that say clearly where its shape is not LlamaIndex's. */
import { VarveError } from '../errors.ts'
import { encodeWtf8 } from '../stores/wtf8.ts'
import { isObject } from './llamaindex-field.ts'
import { readJson, type ValueReader } from './llamaindex-json.ts'

/** The keys of an object that may be absent: `null` has none. `what` names it for the error. */
export function* membersOf(reader: ValueReader, file: string, what: string): Generator<string, void> {
  if (reader.kind() === 'object') {
    yield* reader.members()
    return
  }
  const value = reader.value()
  if (value !== null) throw badShape(file, `${what} is not an object`)
}

/** A value that may be written as JSON inside a JSON string. */
export function unwrapText(value: unknown, file: string): unknown {
  return typeof value === 'string' ? readJson(encodeWtf8(value), file) : value
}

export function objectAt(value: unknown, file: string, what: string): Record<string, unknown> {
  if (isObject(value)) return value
  throw badShape(file, `${what} is not an object`)
}

/** `null` is an empty list. */
export function stringsAt(value: unknown, file: string, what: string): string[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw badShape(file, `${what} is not a list of strings`)
}

export function badShape(file: string, fact: string): VarveError {
  return new VarveError('VARVE_BAD_FILE', `${file} is not what LlamaIndex writes: ${fact}.`, { file })
}

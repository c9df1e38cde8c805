/**
 * Metadata filters with LlamaIndex's operators and conditions. Filters are checked and compiled once, before the first node is looked at;
 * what a node's metadata holds never throws.
 */
import { shown, VarveError } from '../errors.ts'

export type FilterOperator =
  | '=='
  | '!='
  | '>'
  | '>='
  | '<'
  | '<='
  | 'in'
  | 'nin'
  | 'contains'
  | 'any'
  | 'all'
  | 'text_match'
  | 'text_match_insensitive'
  | 'is_empty'

export interface MetadataFilter {
  key: string
  value?: unknown
  /** Default `==`. */
  operator?: FilterOperator
}

export interface MetadataFilters {
  filters: readonly (MetadataFilter | MetadataFilters)[]
  /** Default `and`. `not`: none of them matches. */
  condition?: 'and' | 'or' | 'not'
}

type Predicate = (metadata: Record<string, unknown> | undefined) => boolean
type Scalar = string | number | bigint
/** Of one key's value, which is never missing here. */
type ValueTest = (value: unknown) => boolean

/**
 * | operator                                  | value         | true when (`m` is what the metadata holds under the key)            |
 * |-------------------------------------------|---------------|---------------------------------------------------------------------|
 * | `==` `!=`                                 | scalar        | equal, or not. As in Python, `true` is 1; a string is never a number |
 * | `>` `>=` `<` `<=`                         | scalar        | both numbers, or both strings (by UTF-16 code units), so ordered     |
 * | `in` `nin`                                | list, string  | `m` is a member, or not; of a string: a part of it                   |
 * | `contains`                                | scalar        | member of the list `m`, part of the string `m`, key of the object `m` |
 * | `any` `all`                               | list          | any, or all, of the values as in `contains`                          |
 * | `text_match` `text_match_insensitive`     | string        | part of the string `m`                                               |
 * | `is_empty`                                | none          | `m` is missing, null, `''` or `[]`                                   |
 *
 * Missing and null metadata: true for `!=`, `nin` and `is_empty`, false for all others. Where Python raises because a node's
 * value has a type that does not compare, the answer is false (for `nin` true): one odd node must not fail the query. No filters match all.
 */
export function compileFilters(filters: MetadataFilters): Predicate {
  return compileGroup(filters, 1)
}

const maxDepth = 64

function compileGroup(group: MetadataFilters, depth: number): Predicate {
  if (depth > maxDepth) throw bad(`Metadata filters are nested more than ${maxDepth} deep.`)
  const { filters, condition = 'and' } = group
  if (!Array.isArray(filters)) throw bad('Metadata filters are { filters: [...], condition }.')
  const tests = (filters as MetadataFilters['filters']).map((filter) => compileOne(filter, depth))
  if (tests.length === 0) return () => true
  switch (condition) {
    case 'and':
      return (metadata) => tests.every((test) => test(metadata))
    case 'or':
      return (metadata) => tests.some((test) => test(metadata))
    case 'not':
      return (metadata) => !tests.some((test) => test(metadata))
    default:
      throw bad(`'${String(condition)}' is no filter condition.`, { remedy: 'Use and, or, not.' })
  }
}

function compileOne(filter: MetadataFilter | MetadataFilters, depth: number): Predicate {
  if (typeof filter !== 'object' || filter === null) {
    throw bad('A metadata filter is { key, value, operator }, or { filters, condition }.')
  }
  if ('filters' in filter) return compileGroup(filter, depth + 1)
  const { key, operator = '==' } = filter
  if (typeof key !== 'string') throw bad('A metadata filter needs a key, which is a string.')
  const test = valueTest(filter, operator)
  const whenMissing = operator === '!=' || operator === 'nin' || operator === 'is_empty'
  return (metadata) => {
    const value = metadata !== undefined && Object.hasOwn(metadata, key) ? metadata[key] : undefined
    return value === undefined || value === null ? whenMissing : test(value)
  }
}

function valueTest(filter: MetadataFilter, operator: FilterOperator): ValueTest {
  switch (operator) {
    case '==':
      return equalTo(scalarOf(filter))
    case '!=':
      return negated(equalTo(scalarOf(filter)))
    case '>':
      return orderedTest(filter, (value, bound) => value > bound)
    case '>=':
      return orderedTest(filter, (value, bound) => value >= bound)
    case '<':
      return orderedTest(filter, (value, bound) => value < bound)
    case '<=':
      return orderedTest(filter, (value, bound) => value <= bound)
    case 'in':
      return memberTest(filter)
    case 'nin':
      return negated(memberTest(filter))
    case 'contains':
      return holds(scalarOf(filter))
    case 'any':
      return anyOf(listOf(filter).map(holds))
    case 'all':
      return allOf(listOf(filter).map(holds))
    case 'text_match':
      return textTest(filter, (text) => text)
    case 'text_match_insensitive':
      return textTest(filter, (text) => text.toLowerCase())
    case 'is_empty':
      return (value) => value === '' || (Array.isArray(value) && value.length === 0)
    default:
      throw bad(`'${String(operator)}' is no filter operator (key '${filter.key}').`, {
        remedy: `Use ${operators.join(', ')}.`,
        key: filter.key,
      })
  }
}

const operators: readonly FilterOperator[] = [
  ...(['==', '!=', '>', '>=', '<', '<=', 'in', 'nin', 'contains', 'any', 'all'] as const),
  ...(['text_match', 'text_match_insensitive', 'is_empty'] as const),
]

function equalTo(wanted: Scalar): ValueTest {
  return (value) => comparable(value) === wanted
}

function orderedTest(filter: MetadataFilter, inOrder: (value: Scalar, bound: Scalar) => boolean): ValueTest {
  const bound = scalarOf(filter)
  return (value) => {
    const found = comparable(value)
    return (
      found !== undefined &&
      (typeof found === 'string') === (typeof bound === 'string') &&
      inOrder(found, bound)
    )
  }
}

function memberTest(filter: MetadataFilter): ValueTest {
  const { value: wanted } = filter
  if (typeof wanted === 'string') return (value) => typeof value === 'string' && wanted.includes(value)
  const members = new Set(listOf(filter))
  return (value) => {
    const found = comparable(value)
    return found !== undefined && members.has(found)
  }
}

function holds(wanted: Scalar): ValueTest {
  return (value) => {
    if (typeof value === 'string') return typeof wanted === 'string' && value.includes(wanted)
    if (Array.isArray(value)) return value.some((member) => comparable(member) === wanted)
    return typeof value === 'object' && typeof wanted === 'string' && Object.hasOwn(value as object, wanted)
  }
}

function textTest(filter: MetadataFilter, normal: (text: string) => string): ValueTest {
  if (typeof filter.value !== 'string') throw badValue(filter, 'a string')
  const wanted = normal(filter.value)
  return (value) => typeof value === 'string' && normal(value).includes(wanted)
}

const negated =
  (test: ValueTest): ValueTest =>
  (value) =>
    !test(value)
const anyOf =
  (tests: readonly ValueTest[]): ValueTest =>
  (value) =>
    tests.some((test) => test(value))
const allOf =
  (tests: readonly ValueTest[]): ValueTest =>
  (value) =>
    tests.every((test) => test(value))

function scalarOf(filter: MetadataFilter): Scalar {
  const scalar = comparable(filter.value)
  if (scalar === undefined) throw badValue(filter, 'a string, a number or a boolean')
  return scalar
}

function listOf(filter: MetadataFilter): Scalar[] {
  const { value } = filter
  const scalars = Array.isArray(value) ? value.map(comparable) : [undefined]
  if (!scalars.every((scalar) => scalar !== undefined)) {
    throw badValue(filter, 'a list of strings, numbers or booleans')
  }
  return scalars
}

/** Scalars in a form where `===` is Python's `==`: booleans are numbers, and so is a BigInt that a number can say exactly. */
export function comparable(value: unknown): Scalar | undefined {
  switch (typeof value) {
    case 'string':
      return value
    case 'boolean':
      return value ? 1 : 0
    case 'number':
      return Number.isNaN(value) ? undefined : value
    case 'bigint':
      return Number.isFinite(Number(value)) && BigInt(Number(value)) === value ? Number(value) : value
    default:
      return undefined
  }
}

function badValue({ key, operator = '==', value }: MetadataFilter, wanted: string): VarveError {
  return bad(`The filter on '${key}' with ${operator} has ${shown(value)} as its value.`, {
    remedy: `Give it ${wanted}; to find what is missing, use is_empty.`,
    key,
  })
}

function bad(fact: string, fields: { remedy?: string; key?: string } = {}): VarveError {
  return new VarveError('VARVE_BAD_FILTER', fact, fields)
}

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { VarveError } from '../../src/errors.ts'
import {
  compileFilters,
  type FilterOperator,
  type MetadataFilters,
} from '../../src/stores/metadata-filters.ts'

const missing = Symbol('missing')

// Per operator: the filter's value, the metadata's value, the answer.
const table: [FilterOperator, unknown, unknown, boolean][] = [
  ['==', 'a', 'a', true],
  ['==', 'a', 'A', false],
  ['==', '', '', true],
  ['==', 1, 1, true],
  ['==', 1, 1n, true],
  ['==', 2n ** 64n, 2n ** 64n, true],
  ['==', 2n ** 64n, 2 ** 64, true],
  ['==', 2n ** 64n + 1n, 2 ** 64, false],
  ['==', 1, true, true],
  ['==', false, 0, true],
  ['==', 1, '1', false],
  ['==', 'a', ['a'], false],
  ['==', 0, Number.NaN, false],
  ['==', 'a', null, false],
  ['==', 'a', missing, false],
  ['!=', 'a', 'b', true],
  ['!=', 'a', 'a', false],
  ['!=', 1, '1', true],
  ['!=', 'a', ['a'], true],
  ['!=', 'a', null, true],
  ['!=', 'a', missing, true],
  ['>', 1, 2, true],
  ['>', 1, 1, false],
  ['>', 1, 2n ** 70n, true],
  ['>', 0, true, true],
  ['>', 'a', 'b', true],
  ['>', 1, 'b', false],
  ['>', 'a', 1, false],
  ['>', 1, [2], false],
  ['>', 1, Number.NaN, false],
  ['>', 1, null, false],
  ['>', 1, missing, false],
  ['>=', 1, 1, true],
  ['>=', '2024-01-01', '2024-01-01', true],
  ['>=', 2, 1, false],
  ['>=', 1, '1', false],
  ['>=', 1, missing, false],
  ['<', 2, 1, true],
  ['<', 1, 1, false],
  ['<', 'b', 'a', true],
  ['<', 1, {}, false],
  ['<', 1, null, false],
  ['<=', 1, 1, true],
  ['<=', 1, 2, false],
  ['<=', 1, 'a', false],
  ['<=', 1, missing, false],
  ['in', ['a', 'b'], 'a', true],
  ['in', ['a', 'b'], 'c', false],
  ['in', [1, 2], true, true],
  ['in', [1, 2], 2n, true],
  ['in', [0], 0, true],
  ['in', [1], '1', false],
  ['in', ['a'], ['a'], false],
  ['in', [], 'a', false],
  ['in', 'abc', 'b', true],
  ['in', 'abc', 'd', false],
  ['in', 'abc', 1, false],
  ['in', ['a'], null, false],
  ['in', ['a'], missing, false],
  ['nin', ['a', 'b'], 'c', true],
  ['nin', ['a', 'b'], 'a', false],
  ['nin', ['a'], ['a'], true],
  ['nin', [], 'a', true],
  ['nin', 'abc', 'b', false],
  ['nin', 'abc', 1, true],
  ['nin', ['a'], null, true],
  ['nin', ['a'], missing, true],
  ['contains', 'a', ['a', 'b'], true],
  ['contains', 'c', ['a', 'b'], false],
  ['contains', 1, [true], true],
  ['contains', '1', [1], false],
  ['contains', 'ell', 'hello', true],
  ['contains', 'ELL', 'hello', false],
  ['contains', 1, 'a1', false],
  ['contains', 'key', { key: 1 }, true],
  ['contains', 'toString', {}, false],
  ['contains', 1, 12, false],
  ['contains', 'a', null, false],
  ['contains', 'a', missing, false],
  ['any', ['a', 'x'], ['a', 'b'], true],
  ['any', ['x', 'y'], ['a', 'b'], false],
  ['any', [], ['a'], false],
  ['any', ['ell'], 'hello', true],
  ['any', ['a'], 5, false],
  ['any', ['a'], missing, false],
  ['all', ['a', 'b'], ['b', 'a', 'c'], true],
  ['all', ['a', 'x'], ['a', 'b'], false],
  ['all', [], ['a'], true],
  ['all', ['h', 'o'], 'hello', true],
  ['all', [], missing, false],
  ['text_match', 'ell', 'hello', true],
  ['text_match', 'ELL', 'hello', false],
  ['text_match', '1', 1, false],
  ['text_match', 'a', ['a'], false],
  ['text_match', '', 'hello', true],
  ['text_match', '', missing, false],
  ['text_match_insensitive', 'ELL', 'hello', true],
  ['text_match_insensitive', 'ell', 'HELLO', true],
  ['text_match_insensitive', 'x', 'hello', false],
  ['text_match_insensitive', '1', 1, false],
  ['text_match_insensitive', 'a', null, false],
  ['is_empty', undefined, missing, true],
  ['is_empty', undefined, null, true],
  ['is_empty', undefined, '', true],
  ['is_empty', undefined, [], true],
  ['is_empty', undefined, {}, false],
  ['is_empty', undefined, 0, false],
  ['is_empty', undefined, false, false],
  ['is_empty', undefined, ' ', false],
]

test.each(table)('%s %o of %o is %o', (operator, value, held, answer) => {
  const matches = compileFilters({ filters: [{ key: 'k', value, operator }] })
  expect(matches(held === missing ? {} : { k: held })).toBe(answer)
})

test('an operator that is not given is ==', () => {
  const matches = compileFilters({ filters: [{ key: 'k', value: 1 }] })
  expect([matches({ k: 1 }), matches({ k: 2 })]).toEqual([true, false])
})

test('missing metadata altogether is missing every key', () => {
  const withOperator = (operator: FilterOperator) =>
    compileFilters({ filters: [{ key: 'k', value: 'a', operator }] })
  expect([
    withOperator('!=')(undefined),
    withOperator('==')(undefined),
    withOperator('is_empty')(undefined),
  ]).toEqual([true, false, true])
})

test('keys that every object inherits are missing unless the metadata has them', () => {
  const matches = compileFilters({ filters: [{ key: 'constructor', operator: 'is_empty' }] })
  expect(matches({})).toBe(true)
  expect(matches(JSON.parse('{"constructor":"x"}') as Record<string, unknown>)).toBe(false)
  const proto = compileFilters({ filters: [{ key: '__proto__', value: 'x' }] })
  expect(proto(JSON.parse('{"__proto__":"x"}') as Record<string, unknown>)).toBe(true)
})

const a = { key: 'a', value: 1 }
const b = { key: 'b', value: 1 }
test.each<[string, MetadataFilters, boolean[]]>([
  // Of { a: 1, b: 1 }, { a: 1 }, { b: 1 }, {}.
  ['and is the default', { filters: [a, b] }, [true, false, false, false]],
  ['and needs all', { filters: [a, b], condition: 'and' }, [true, false, false, false]],
  ['or needs one', { filters: [a, b], condition: 'or' }, [true, true, true, false]],
  ['not needs none', { filters: [a, b], condition: 'not' }, [false, false, false, true]],
  ['no filters match all', { filters: [], condition: 'or' }, [true, true, true, true]],
  ['groups nest', { filters: [a, { filters: [b], condition: 'not' }] }, [false, true, false, false]],
  [
    'groups nest in groups',
    { filters: [{ filters: [{ filters: [a, b], condition: 'not' }, a], condition: 'or' }] },
    [true, true, false, true],
  ],
])('%s', (_, filters, answers) => {
  const matches = compileFilters(filters)
  expect([{ a: 1, b: 1 }, { a: 1 }, { b: 1 }, {}].map(matches)).toEqual(answers)
})

test.each<[string, unknown, RegExp]>([
  ['no filters', {}, /filters: \[\.\.\.\]/],
  ['filters that are no list', { filters: 'x' }, /filters: \[\.\.\.\]/],
  ['a filter that is null', { filters: [null] }, /A metadata filter is/],
  ['a filter without a key', { filters: [{ value: 1 }] }, /needs a key/],
  [
    'an unknown operator',
    { filters: [{ key: 'k', value: 1, operator: '=' }] },
    /'=' is no filter operator \(key 'k'\)/,
  ],
  [
    'an inherited operator',
    { filters: [{ key: 'k', value: 1, operator: 'toString' }] },
    /is no filter operator/,
  ],
  [
    'an unknown condition',
    { filters: [a], condition: 'xor' },
    /'xor' is no filter condition. Use and, or, not/,
  ],
  ['a list for ==', { filters: [{ key: 'k', value: ['x'] }] }, /on 'k' with == has \[ /],
  [
    'null for !=',
    { filters: [{ key: 'k', value: null, operator: '!=' }] },
    /on 'k' with != has null.*is_empty/,
  ],
  ['nothing for <', { filters: [{ key: 'k', operator: '<' }] }, /on 'k' with < has undefined/],
  ['NaN for ==', { filters: [{ key: 'k', value: Number.NaN }] }, /on 'k' with == has NaN as/],
  ['a scalar for in', { filters: [{ key: 'k', value: 1, operator: 'in' }] }, /Give it a list/],
  ['a string for any', { filters: [{ key: 'k', value: 'ab', operator: 'any' }] }, /Give it a list/],
  ['lists in a list', { filters: [{ key: 'k', value: [['a']], operator: 'in' }] }, /Give it a list/],
  [
    'a number for text_match',
    { filters: [{ key: 'k', value: 1, operator: 'text_match' }] },
    /Give it a string/,
  ],
  [
    'a bad filter deep inside',
    { filters: [{ filters: [{ key: 'k', value: {} }] }] },
    /on 'k' with == has {} as/,
  ],
])('%s is refused before any node is looked at', (_, filters, message) => {
  const compile = () => compileFilters(filters as MetadataFilters)
  expect(compile).toThrow(VarveError)
  expect(compile).toThrow(
    expect.objectContaining({ code: 'VARVE_BAD_FILTER', message: expect.stringMatching(message) }),
  )
})

test('filters that contain themselves are refused', () => {
  const filters: { filters: unknown[] } = { filters: [] }
  filters.filters.push(filters)
  expect(() => compileFilters(filters as MetadataFilters)).toThrow(/nested more than 64 deep/)
})

// What LlamaIndex for Python answers (fixtures/make.py): per kind of metadata `T`, `F`, or `!` where it raises.
type PythonRow = { operator: FilterOperator; value: unknown; answers: string }
const [{ held }, ...rows] = JSON.parse(
  readFileSync(new URL('fixtures/filters.json', import.meta.url), 'utf8'),
) as [{ held: Record<string, unknown>[] }, ...PythonRow[]]

function takes(operator: FilterOperator, value: unknown): boolean {
  if (operator === 'is_empty') return true
  if (operator.startsWith('text_match')) return typeof value === 'string'
  if (operator === 'any' || operator === 'all') return Array.isArray(value)
  if (operator === 'in' || operator === 'nin') return Array.isArray(value) || typeof value === 'string'
  return typeof value === 'string' || typeof value === 'number'
}

test.each(rows)('%o answers as in Python', ({ operator, value, answers }) => {
  const compile = () => compileFilters({ filters: [{ key: 'k', value, operator }] })
  if (!takes(operator, value)) {
    expect(compile).toThrow(expect.objectContaining({ code: 'VARVE_BAD_FILTER' }))
    return
  }
  const matches = compile()
  const raised = operator === 'nin' ? 'T' : 'F'
  expect(held.map((metadata) => (matches(metadata) ? 'T' : 'F')).join('')).toBe(
    answers.replaceAll('!', raised),
  )
})

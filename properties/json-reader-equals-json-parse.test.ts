/** Whatever JSON.stringify writes, the reader reads as JSON.parse does; and its notes are about spelling only. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readJson } from '../src/interop/llamaindex-json.ts'
import { isWellFormed } from '../src/stores/wtf8.ts'
import { takeSpelling } from '../src/stores/spelling.ts'

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '10', '2', '\ud800'))
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })),
    fc.array(tie('value')),
    fc.array(fc.tuple(text, tie('value'))).map((entries) => Object.fromEntries(entries) as object),
  ),
})).value

/** Integers that JSON.parse would round; and `-0`, which is an integer in Python (found with seed 2041534572). */
function rounded(value: unknown): unknown {
  if (value === 0) return 0
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(rounded)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, rounded(member)]))
}

test('the reader equals JSON.parse', () => {
  fc.assert(
    fc.property(json, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const written = JSON.stringify(value, null, indent)
      const bytes = new TextEncoder().encode(written)
      const read = rounded(takeSpelling(readJson(bytes, 'f')).value)
      expect(read).toEqual(JSON.parse(written))
      expect(JSON.stringify(read)).toBe(JSON.stringify(JSON.parse(written)))
    }),
    { numRuns: 1_000 },
  )
})

test('what JSON.parse refuses, the reader refuses, but for the words of Python', () => {
  fc.assert(
    fc.property(
      json,
      fc.nat(),
      fc.constantFrom('', ',', '}', '"', '\\', 'x', '0'),
      (value, place, damage) => {
        const written = JSON.stringify(value)
        const at = place % (written.length + 1)
        const damaged = written.slice(0, at) + damage + written.slice(at + 1)
        fc.pre(isWellFormed(damaged))
        const outcome = (read: () => unknown) => {
          try {
            return { value: read() }
          } catch {
            return 'refused'
          }
        }
        const ours = outcome(() =>
          rounded(takeSpelling(readJson(new TextEncoder().encode(damaged), 'f')).value),
        )
        expect(ours).toEqual(outcome(() => rounded(JSON.parse(damaged))))
      },
    ),
    { numRuns: 2_000 },
  )
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import wabt from 'wabt'
import { kernelBytes, kernelIn } from '../../src/stores/simd-kernel.ts'

test('the bytes of the kernel are what its text compiles to', async () => {
  const file = 'simd-kernel.wat'
  const text = readFileSync(join(import.meta.dirname, '../../src/stores', file), 'utf8')
  const { buffer } = (await wabt()).parseWat(file, text, { simd: true }).toBinary({})
  expect(kernelBytes).toBe(Buffer.from(buffer).toString('base64'))
})

test('a memory that cannot be had is none', () => {
  expect(kernelIn(1, 1)).toBeDefined()
  expect(kernelIn(1, 1_000_000)).toBeUndefined()
})

/** What comparisons with the real LlamaIndex have in common: a place to work in, its programs, and a count of what differs. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { isDeepStrictEqual } from 'node:util'
import type { LlamaIndexDialect } from 'varve'

export type Run = (...args: string[]) => void
export type Json = Record<string, unknown>

const work = mkdtempSync(join(tmpdir(), 'varve-parity-'))
export const at = (...names: string[]): string => join(work, ...names)

let checks = 0
let failures = 0

export function check(name: string, isGood: boolean, detail = ''): void {
  if (!isGood) failures++
  if (!isGood) console.log(`DIFFERENT  ${name}  ${detail}`)
  checks++
}

export function checkSame(name: string, theirs: unknown, ours: unknown): void {
  check(name, isDeepStrictEqual(theirs, ours), differenceOf(theirs, ours))
}

export function differenceOf(theirs: unknown, ours: unknown, path = ''): string | undefined {
  if (isDeepStrictEqual(theirs, ours)) return undefined
  const areObjects = [theirs, ours].every((value) => typeof value === 'object' && value !== null)
  if (!areObjects) return `${path}: ${JSON.stringify(theirs)} / ${JSON.stringify(ours)}`
  for (const key of new Set([...Object.keys(theirs as Json), ...Object.keys(ours as Json)])) {
    const found = differenceOf((theirs as Json)[key], (ours as Json)[key], `${path}/${key}`)
    if (found !== undefined) return found
  }
  return path
}

/** The real one: its program, run with a verb and places. `where` is Python's interpreter, or a directory with llamaindex in its node_modules. */
export function toolOf(dialect: LlamaIndexDialect, where: string): Run {
  if (dialect === 'python')
    return (...args) =>
      void execFileSync(where, [join(import.meta.dirname, 'llama_python.py'), ...args], {
        stdio: ['ignore', 'ignore', 'inherit'],
        // So that sets come in the same order twice.
        env: { ...process.env, PYTHONHASHSEED: '0' },
      })
  const script = join(where, 'llama_typescript.mjs')
  copyFileSync(join(import.meta.dirname, 'llama_typescript.mjs'), script)
  return (...args) =>
    void execFileSync(process.execPath, [script, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
}

export function readJson(name: string): Json {
  return JSON.parse(readFileSync(at(name), 'utf8')) as Json
}

/** Runs all of it, says what came of it, and leaves nothing behind. */
export async function comparing(what: string, compare: () => Promise<void>): Promise<void> {
  try {
    await compare()
    console.log(`${what}: ${checks} comparisons, ${failures} differences`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  process.exitCode = failures === 0 ? 0 : 1
}

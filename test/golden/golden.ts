/** Reads and writes golden directories: the files, what they hold at which commit, and what the files were on the way. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Recipe } from './recipes.ts'
import { filesOn, Stage, type Files } from './stage.ts'
import { absent, joinKeys, readCommits, type Keys, type Values } from './values.ts'

export interface Golden {
  name: string
  files: Files
  /** As JSON, oldest first. */
  commits: string[]
  /** What each commit holds. */
  states: Map<number, Values>
  keys: Keys
  /** How many commits at the end no mark speaks of: a group that damage may drop. */
  unmarked: number
  /** What the files were before, oldest first. */
  moments: Files[]
}

const goldenRoot = fileURLToPath(new URL('.', import.meta.url))

export async function make(recipe: Recipe, seed: number): Promise<Golden> {
  const stage = new Stage(seed)
  await recipe.make(stage)
  const storage = await stage.open({ readOnly: true })
  const commits = await readCommits(storage)
  await storage.close()
  const all = Array.from(stage.states)
  return {
    name: recipe.name,
    files: await filesOn(stage.disk),
    commits,
    states: new Map(all.map(([n, { values }]) => [n, values])),
    keys: joinKeys(all.map(([, { keys }]) => keys)),
    unmarked: recipe.unmarked ?? 0,
    moments: stage.moments.map(({ files }) => files),
  }
}

/** In JSON. */
interface Expected {
  commits: unknown[]
  states: Record<string, Record<string, unknown>>
  keys: Keys
  unmarked: number
}

/** A file of an earlier moment: how much of today's it was, or its bytes if it was another. */
type Earlier = Record<string, number | string>

export function write(format: string, golden: Golden): void {
  const root = join(goldenRoot, format, golden.name)
  rmSync(root, { recursive: true, force: true })
  for (const [path, bytes] of golden.files) put(join(root, 'storage', path), bytes)
  const states = Object.fromEntries(Array.from(golden.states, ([n, values]) => [n, toPlain(values)]))
  const { commits, keys, unmarked } = golden
  const expected: Expected = {
    commits: commits.map((text) => JSON.parse(text) as unknown),
    states,
    keys,
    unmarked,
  }
  put(join(root, 'expected.json'), toJson(expected))
  put(join(root, 'moments.json'), toJson(golden.moments.map((files) => toEarlier(files, golden.files))))
}

export function read(format: string, name: string): Golden {
  const root = join(goldenRoot, format, name)
  const files: Files = new Map(
    filesBelow(join(root, 'storage')).map((path) => [
      relative(join(root, 'storage'), path),
      readFileSync(path),
    ]),
  )
  const json = <T>(file: string): T => JSON.parse(readFileSync(join(root, file), 'utf8')) as T
  const { commits, states, keys, unmarked } = json<Expected>('expected.json')
  return {
    name,
    files,
    commits: commits.map((commit) => JSON.stringify(commit)),
    states: new Map(Object.entries(states).map(([n, values]) => [Number(n), fromPlain(values)])),
    keys,
    unmarked,
    moments: json<Earlier[]>('moments.json').map((earlier) => fromEarlier(earlier, files)),
  }
}

export function names(format: string): string[] {
  return readdirSync(join(goldenRoot, format)).sort()
}

export function storagePath(format: string, name: string): string {
  return join(goldenRoot, format, name, 'storage')
}

function toPlain(values: Values): Record<string, unknown> {
  const present = Array.from(values).filter(([, text]) => text !== absent)
  return Object.fromEntries(present.map(([place, text]) => [place, JSON.parse(text) as unknown]))
}

function fromPlain(values: Record<string, unknown>): Values {
  return new Map(Object.entries(values).map(([place, value]) => [place, JSON.stringify(value)]))
}

function toEarlier(files: Files, now: Files): Earlier {
  return Object.fromEntries(
    Array.from(files, ([path, bytes]) => {
      const today = Buffer.from(now.get(path) ?? [])
      const isBeginning = today.length >= bytes.length && today.subarray(0, bytes.length).equals(bytes)
      return [path, isBeginning ? bytes.length : Buffer.from(bytes).toString('base64')]
    }),
  )
}

function fromEarlier(earlier: Earlier, now: Files): Files {
  const bytesOf = (path: string, what: number | string): Uint8Array =>
    typeof what === 'string' ? Buffer.from(what, 'base64') : now.get(path)!.subarray(0, what)
  return new Map(Object.entries(earlier).map(([path, what]) => [path, bytesOf(path, what)]))
}

function toJson(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`)
}

function put(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

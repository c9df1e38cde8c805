import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { layerViolations } from './support/layers.ts'

const SRC = join(import.meta.dirname, '../src')
const ENTRY_POINTS = Object.values(packageJson.exports)
  .flatMap((target) =>
    typeof target === 'string' ? [] : 'default' in target ? [target] : Object.values(target),
  )
  .map((target) => target.default.replace('./dist/', '').replace(/js$/, 'ts'))

function readSources(): Record<string, string> {
  const files = readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.c?ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(
    files.map((file) => [relative(SRC, file).replaceAll(sep, '/'), readFileSync(file, 'utf8')]),
  )
}

test('src keeps its layers, its doors and no import cycle', () => {
  const sources = readSources()
  expect(Object.keys(sources)).toEqual(expect.arrayContaining(['errors.ts', 'disk/disk.ts']))
  expect(layerViolations(sources, ENTRY_POINTS)).toEqual([])
})

test('what the layer table allows passes', () => {
  const sources = {
    'index.ts': "export * from './stores/a.ts'; export { b } from './history/b.ts'",
    'errors.ts': 'export class VarveError extends Error {}',
    'disk/node-disk.ts': "import fs from 'node:fs/promises'; export const pid = process.pid",
    'disk/node-lock.ts': "import { createServer } from 'node:net'; import os from 'node:os'",
    'log/process.ts':
      "import '../errors.ts'; const o = { process: 1 }; export default o.process // process.exit",
    'journal/codec.ts': "import { Packr } from 'msgpackr'; import '../log/process.ts'",
    'stores/a.ts':
      "import { produce } from 'immer'; import { crc32 } from 'node:zlib'; import '../disk/node-disk.ts'",
    'history/b.ts':
      "import type { Draft } from 'immer'; import '../stores/a.ts'; export const b = `process.pid`",
    'context/c.ts': "import '../stores/a.ts'; import '../history/b.ts'",
    'llamaindex/d.cts':
      "import schema = require('@llamaindex/core/schema'); import c = require('../context/c.ts')",
    'live/d.ts': "const { watch } = await import('chokidar')",
    'backends/e.ts': "import type { Db } from 'mongodb'",
    'testing/index.ts': "import '../index.ts'; import '../disk/node-disk.ts'; import 'fast-check'",
    'cli/main.ts': "import '../index.ts'; import '../inspector/page.ts'; process.exit(0)",
    'inspector/page.ts': "import '../index.ts'",
  }
  expect(layerViolations(sources, ENTRY_POINTS)).toEqual([])
})

test.each<[file: string, text: string, violation: string]>([
  ['log/a.ts', "import { x } from '../journal/x.ts'", 'may not import journal/x.ts'],
  ['log/a.ts', "import type { X } from '../journal/x.ts'", 'may not import journal/x.ts'],
  ['log/a.ts', "export { x } from '../journal/x.ts'", 'may not import journal/x.ts'],
  ['log/a.ts', "export * from '../journal/x.ts'", 'may not import journal/x.ts'],
  ['log/a.ts', "const x = await import('../journal/x.ts')", 'may not import journal/x.ts'],
  ['log/a.ts', "let x: import('../journal/x.ts').X", 'may not import journal/x.ts'],
  ['log/a.ts', 'const x = await import(name)', 'imports a computed name'],
  ['log/a.ts', 'import { from', 'does not parse'],
  ['history/a.ts', "import '../live/x.ts'", 'may not import live/x.ts'],
  ['history/a.ts', "import '../context/x.ts'", 'may not import context/x.ts'],
  ['stores/a.ts', "import '../index.ts'", 'may not import index.ts'],
  ['index.ts', "export * from './llamaindex/x.ts'", 'may not import llamaindex/x.ts'],
  ['llamaindex/a.cts', "import x = require('../indices/x.ts')", 'may not import indices/x.ts'],
  ['context/a.ts', "import { TextNode } from '@llamaindex/core/schema'", 'may not import @llamaindex/core'],
  ['testing/a.ts', "import '../cli/x.ts'", 'may not import cli/x.ts'],
  ['disk/a.ts', "import '../../test/x.ts'", 'may not import ../test/x.ts'],
  ['disk/a.ts', "import './b.js'", 'imports disk/b.js without its .ts extension'],
  ['utils/a.ts', '', 'is in no layer'],
  ['helpers.ts', '', 'is in no layer'],
  ['stores/index.ts', '', 'is an index.ts that package.json does not export'],
  ['log/a.ts', "import fs from 'node:fs'", 'may not import node:fs'],
  ['disk/memory-disk.ts', "import type { Stats } from 'fs'", 'may not import fs'],
  ['cli/a.ts', "import { readFile } from 'node:fs/promises'", 'may not import node:fs/promises'],
  ['log/lock.ts', "import os from 'node:os'", 'may not import node:os'],
  ['live/a.ts', "import net from 'node:net'", 'may not import node:net'],
  ['journal/fold.ts', "import { pack } from 'msgpackr/pack'", 'may not import msgpackr/pack'],
  ['journal/a.ts', "import { produce } from 'immer'", 'may not import immer'],
  ['history/a.ts', "import { watch } from 'chokidar'", 'may not import chokidar'],
  ['stores/a.ts', "import pg from 'pg'", 'may not import pg'],
  ['context/a.ts', "import { pid } from 'node:process'", 'may not import node:process'],
  ['context/a.ts', 'export const pid = process.pid', 'may not use process'],
  ['context/a.ts', 'export const text = `${process.pid}`', 'may not use process'],
  ['context/a.ts', 'export const pid = globalThis.process.pid', 'may not use process'],
  ['context/a.ts', 'export const all = { process }', 'may not use process'],
  ['disk/a.ts', "import './a.ts'", 'import cycle disk/a.ts -> disk/a.ts'],
])('%s with %j is reported', (file, text, violation) => {
  expect(layerViolations({ [file]: text }, ENTRY_POINTS).join('\n')).toContain(`${file}: ${violation}`)
})

test('a cycle through several files is reported once, with its path', () => {
  const sources = {
    'disk/a.ts': "import './b.ts'",
    'disk/b.ts': "import type { C } from './c.ts'",
    'disk/c.ts': "export * from './b.ts'",
  }
  expect(layerViolations(sources, ENTRY_POINTS)).toEqual([
    'disk/b.ts: import cycle disk/b.ts -> disk/c.ts -> disk/b.ts',
  ])
})

/** A copy of the tree in a temporary folder, where a fault can be put in and taken out again. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Edit, Mutant } from './mutants.ts'

const root = join(import.meta.dirname, '../..')
const parts = [
  'src',
  'test',
  'properties',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vitest.config.ts',
  // Of the package, which some tests pack.
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
]

export class Tree {
  readonly directory = mkdtempSync(join(tmpdir(), 'mutants-'))

  /** A copy of what the repository holds now, or of another tree. */
  constructor(from = root) {
    for (const part of parts) cpSync(join(from, part), join(this.directory, part), { recursive: true })
    // A folder of its own, where the test runner may keep what it likes.
    const modules = join(this.directory, 'node_modules')
    mkdirSync(modules)
    for (const name of readdirSync(join(root, 'node_modules')))
      if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }

  /** Runs with a fault in the sources. */
  async mutated<T>(mutant: Mutant, run: () => Promise<T>): Promise<T> {
    const sound = new Map<string, string>()
    for (const { file, find, replace } of edits(mutant)) {
      const path = join(this.directory, 'src', file)
      const text = readFileSync(path, 'utf8')
      if (!sound.has(path)) sound.set(path, text)
      writeFileSync(
        path,
        text.replace(find, () => replace),
      )
    }
    try {
      return await run()
    } finally {
      for (const [path, text] of sound) writeFileSync(path, text)
    }
  }

  /** Why the mutant cannot be applied, if so. */
  misfit(mutant: Mutant): string | undefined {
    for (const { file, find } of edits(mutant)) {
      const text = readFileSync(join(this.directory, 'src', file), 'utf8')
      const times = text.split(find).length - 1
      if (times !== 1) return `${JSON.stringify(find)} stands ${times} times in src/${file}`
    }
    return undefined
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 9 })
  }
}

function edits(mutant: Mutant): Edit[] {
  return mutant.also ? [mutant, mutant.also] : [mutant]
}

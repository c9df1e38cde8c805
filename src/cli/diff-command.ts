/** `varve diff`: what changed between two moments; exit code 1 if anything did, as `diff` has it. */
import type { Disk } from '../disk/disk.ts'
import { changeLines } from './diff-text.ts'
import type { ExitCode } from './exit-code.ts'
import { keyText } from './key-text.ts'
import { withStorage } from './open-history.ts'
import { plainText, toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export interface DiffCommandOptions {
  a: string
  b: string
  store?: string
  json?: boolean
  terminal: Terminal
}

export async function diffCommand(
  disk: Disk,
  directory: string,
  { a, b, store, json = false, terminal }: DiffCommandOptions,
): Promise<ExitCode> {
  return withStorage<ExitCode>(disk, directory, { terminal, readOnly: true }, async ({ history }) => {
    let found = 0
    for await (const { change, store: name, key, paths } of history.diff(a, b, { store })) {
      found++
      if (json) terminal.print(toJson({ change, store: name, key, paths }))
      else {
        terminal.print(terminal.style('bold', `${signs[change]} ${plainText(name)} ${keyText(key)}`))
        for (const line of changeLines(paths, terminal)) terminal.print(line)
      }
    }
    return found > 0 ? 1 : 0
  })
}

const signs = { added: '+', changed: '~', removed: '-' }

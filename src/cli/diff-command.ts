/** `varve diff`: what changed between two moments; exit code 1 if anything did, as `diff` has it. */
import type { Disk } from '../disk/disk.ts'
import { toTree } from '../history/stored-value.ts'
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
    const { added, changed, removed } = await history.diff(a, b, { store })
    if (json) {
      const plain = <T extends { value: unknown }>(each: T) => ({ ...each, value: toTree(each.value) })
      const both = changed.map((each) => ({
        ...each,
        before: toTree(each.before),
        after: toTree(each.after),
      }))
      terminal.print(toJson({ added: added.map(plain), changed: both, removed: removed.map(plain) }, 2))
    } else {
      const all = [
        ...removed.map((each) => ({ ...each, sign: '-', before: each.value, after: undefined })),
        ...changed.map((each) => ({ ...each, sign: '~' })),
        ...added.map((each) => ({ ...each, sign: '+', before: undefined, after: each.value })),
      ]
      for (const each of all) {
        terminal.print(terminal.style('bold', `${each.sign} ${plainText(each.store)} ${keyText(each.key)}`))
        for (const line of changeLines(toTree(each.before), toTree(each.after), terminal))
          terminal.print(line)
      }
    }
    return added.length + changed.length + removed.length > 0 ? 1 : 0
  })
}

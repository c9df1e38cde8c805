/** `varve versions`: every value that one thing had; exit code 1 if it was never there. */
import type { Disk } from '../disk/disk.ts'
import { changedPaths } from '../history/changed-paths.ts'
import { toTree } from '../history/stored-value.ts'
import { versionsOf } from '../history/versions.ts'
import { commitLine, plainCommit } from './commit-text.ts'
import { changeLines } from './diff-text.ts'
import type { ExitCode } from './exit-code.ts'
import { nothingUnder, toKey } from './key-text.ts'
import { readHistory } from './open-history.ts'
import { toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export interface VersionsCommandOptions {
  store: string
  key: string
  json?: boolean
  terminal: Terminal
}

export async function versionsCommand(
  disk: Disk,
  directory: string,
  { store, key: given, json = false, terminal }: VersionsCommandOptions,
): Promise<ExitCode> {
  const key = toKey(given, store)
  return readHistory<ExitCode>(disk, directory, async (log) => {
    let found = 0
    let before: unknown
    for await (const { commit, value } of versionsOf(log, store, key)) {
      found++
      const tree = toTree(value)
      if (json) terminal.print(toJson({ ...plainCommit(commit), value: tree ?? null }))
      else {
        terminal.print(commitLine(commit, { width: 0, terminal }))
        if (value === undefined) terminal.print('  deleted')
        else for (const line of changeLines(changedPaths(before, tree), terminal)) terminal.print(line)
      }
      before = tree
    }
    if (found === 0) terminal.complain(nothingUnder(key, store, log))
    return found > 0 ? 0 : 1
  })
}

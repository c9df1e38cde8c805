/** `varve blame`: for each field of what a key holds, the commit that set it last; exit code 1 if it holds nothing. */
import type { Disk } from '../disk/disk.ts'
import { blameOf } from '../history/versions.ts'
import { commitLine, plainCommit } from './commit-text.ts'
import type { ExitCode } from './exit-code.ts'
import { nothingUnder, toKey } from './key-text.ts'
import { readHistory } from './open-history.ts'
import { plainText, toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export interface BlameCommandOptions {
  store: string
  key: string
  json?: boolean
  terminal: Terminal
}

export async function blameCommand(
  disk: Disk,
  directory: string,
  { store, key: given, json = false, terminal }: BlameCommandOptions,
): Promise<ExitCode> {
  const key = toKey(given, store)
  return readHistory<ExitCode>(disk, directory, async (log) => {
    const blame = await blameOf(log, store, key)
    const fields = blame.map(({ path, commit }) => ({ path, commit, field: plainText(path.slice(1)) }))
    const widest = Math.max(0, ...fields.map(({ field }) => field.length))
    const width = Math.max(0, ...fields.map(({ commit }) => String(commit.number).length))
    for (const { path, commit, field } of fields) {
      if (json) terminal.print(toJson({ path, commit: plainCommit(commit) }))
      else terminal.print(`${field.padEnd(widest)}  ${commitLine(commit, { width, terminal })}`)
    }
    if (blame.length === 0) terminal.complain(nothingUnder(key, store, log))
    return blame.length > 0 ? 0 : 1
  })
}

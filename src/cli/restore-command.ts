/** `varve restore`: makes the present hold what a moment held, in one new commit. */
import type { Disk } from '../disk/disk.ts'
import { commitLine, plainCommit } from './commit-text.ts'
import type { ExitCode } from './exit-code.ts'
import { withStorage } from './open-history.ts'
import { plainText, toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export interface RestoreCommandOptions {
  moment: string
  actor?: string
  message?: string
  json?: boolean
  terminal: Terminal
}

export async function restoreCommand(
  disk: Disk,
  directory: string,
  { moment, json = false, terminal, ...note }: RestoreCommandOptions,
): Promise<ExitCode> {
  return withStorage<ExitCode>(disk, directory, { terminal, readOnly: false }, async ({ history }) => {
    const commit = await history.restore(moment, note)
    if (json) terminal.print(toJson(commit ? plainCommit(commit) : null))
    else if (commit) terminal.print(commitLine(commit, { width: 0, terminal }))
    else terminal.print(`The present holds what ${plainText(moment)} held already: nothing was written.`)
    return 0
  })
}

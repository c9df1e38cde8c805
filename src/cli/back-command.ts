/** `varve restore` and `varve revert`: the ways back, each in one new commit. Exit code 1 if later commits touched what was to be taken back. */
import type { StorageHistory } from '../context/storage-history.ts'
import type { Disk } from '../disk/disk.ts'
import type { Commit, CommitNote } from '../journal/commit.ts'
import { commitLine, plainCommit } from './commit-text.ts'
import type { ExitCode } from './exit-code.ts'
import { withStorage } from './open-history.ts'
import { plainText, toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export interface BackCommandOptions extends Pick<CommitNote, 'actor' | 'message'> {
  moment: string
  json?: boolean
  terminal: Terminal
}

export async function restoreCommand(
  disk: Disk,
  directory: string,
  options: BackCommandOptions,
): Promise<ExitCode> {
  const nothing = `The present holds what ${plainText(options.moment)} held already: nothing was written.`
  return goBack(disk, directory, { ...options, nothing, way: 'restore' })
}

export async function revertCommand(
  disk: Disk,
  directory: string,
  options: BackCommandOptions,
): Promise<ExitCode> {
  const nothing = `What ${plainText(options.moment)} changed is as it was before: nothing was written.`
  return goBack(disk, directory, { ...options, nothing, way: 'revert' })
}

interface WayBack extends BackCommandOptions {
  way: keyof Pick<StorageHistory, 'restore' | 'revert'>
  nothing: string
}

async function goBack(
  disk: Disk,
  directory: string,
  { moment, way, nothing, json = false, terminal, ...note }: WayBack,
): Promise<ExitCode> {
  return withStorage<ExitCode>(disk, directory, { terminal, readOnly: false }, async ({ history }) => {
    const commit: Commit | undefined = await history[way](moment, note)
    if (json) terminal.print(toJson(commit ? plainCommit(commit) : null))
    else terminal.print(commit ? commitLine(commit, { width: 0, terminal }) : nothing)
    return 0
  })
}

/** `varve tag` and `varve tags`: names for moments. */
import type { Disk } from '../disk/disk.ts'
import { commitLine, plainCommit } from './commit-text.ts'
import type { ExitCode } from './exit-code.ts'
import { withStorage } from './open-history.ts'
import { plainText, toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export interface TagCommandOptions {
  name: string
  at?: string
  delete?: boolean
  actor?: string
  message?: string
  json?: boolean
  terminal: Terminal
}

export async function tagCommand(
  disk: Disk,
  directory: string,
  { name, at, delete: isGone = false, json = false, terminal, ...note }: TagCommandOptions,
): Promise<ExitCode> {
  return withStorage<ExitCode>(disk, directory, { terminal, readOnly: false }, async ({ history }) => {
    const commit = isGone ? await history.untag(name, note) : await history.tag(name, at, note)
    terminal.print(json ? toJson(plainCommit(commit)) : commitLine(commit, { width: 0, terminal }))
    return 0
  })
}

export async function tagsCommand(
  disk: Disk,
  directory: string,
  { json = false, terminal }: Pick<TagCommandOptions, 'json' | 'terminal'>,
): Promise<ExitCode> {
  return withStorage<ExitCode>(disk, directory, { terminal, readOnly: true }, async ({ history }) => {
    for (const { name, commit } of await history.tags())
      terminal.print(json ? toJson({ name, commit }) : `${commit}  ${plainText(name)}`)
    return 0
  })
}

/** `varve follow`: commits as they come, until it is told to stop. */
import { StorageContext } from '../context/storage-context.ts'
import type { Disk } from '../disk/disk.ts'
import type { Change } from '../live/change.ts'
import { commitLine, plainCommit } from './commit-text.ts'
import type { ExitCode } from './exit-code.ts'
import { plainText, toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export interface FollowCommandOptions {
  /** After which commit; see `storage.changes()`. */
  from?: string
  json?: boolean
  terminal: Terminal
}

/** A directory that is not there yet is waited for. Another history in its place ends it: whoever reads must know. */
export async function followCommand(
  disk: Disk,
  directory: string,
  { from = 'now', json = false, terminal }: FollowCommandOptions,
): Promise<ExitCode> {
  const onWarning = (warning: string): void => terminal.complain(warning)
  await terminal.untilStopped(async (signal) => {
    const storage = await StorageContext.fromDefaults({
      persistDir: directory,
      disk,
      follow: true,
      onWarning,
    })
    try {
      for await (const change of storage.changes({ from, signal }))
        terminal.print(json ? toJson(plainChange(change)) : changeLine(change, terminal))
    } finally {
      await storage.close()
    }
  })
  return 0
}

function plainChange({ commit, token, stores }: Change): Record<string, unknown> {
  return { ...plainCommit(commit), token, stores }
}

function changeLine({ commit, stores }: Change, terminal: Terminal): string {
  const counts = stores.map(({ store, added, changed, removed }) =>
    [plainText(store), ...counted('+', added), ...counted('~', changed), ...counted('-', removed)].join(' '),
  )
  const line = commitLine(commit, { width: 1, terminal })
  return counts.length > 0 ? `${line}  ${terminal.style('dim', `(${counts.join(', ')})`)}` : line
}

function counted(sign: string, keys: readonly unknown[]): string[] {
  return keys.length > 0 ? [`${sign}${keys.length}`] : []
}

/** `varve log`: the commits, the newest first, as they are read. */
import type { Disk } from '../disk/disk.ts'
import { logOf } from '../history/log.ts'
import { commitLine, plainCommit } from './commit-text.ts'
import type { ExitCode } from './exit-code.ts'
import { toKey } from './key-text.ts'
import { readLog } from './open-history.ts'
import { toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export interface LogCommandOptions {
  since?: string
  until?: string
  store?: string
  key?: string
  actor?: string
  limit?: number
  json?: boolean
  terminal: Terminal
}

export async function logCommand(
  disk: Disk,
  directory: string,
  { json = false, terminal, key, ...filters }: LogCommandOptions,
): Promise<ExitCode> {
  await readLog(disk, directory, async (log) => {
    const width = String(log.catalog.end.number).length
    const options = { ...filters, ...(key === undefined ? {} : { key: toKey(key, filters.store) }) }
    for await (const commit of logOf(log, options))
      terminal.print(json ? toJson(plainCommit(commit)) : commitLine(commit, { width, terminal }))
  })
  return 0
}

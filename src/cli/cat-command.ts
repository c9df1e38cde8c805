/** `varve cat`: what one key holds, now or at a moment; exit code 1 if that is nothing. */
import type { Disk } from '../disk/disk.ts'
import { heldState } from '../history/held-state.ts'
import { folderOf } from '../history/history-key.ts'
import { toTree, valueOf } from '../history/stored-value.ts'
import { valueLines } from './diff-text.ts'
import type { ExitCode } from './exit-code.ts'
import { nothingUnder, toKey } from './key-text.ts'
import { readPast } from './open-history.ts'
import { toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export interface CatCommandOptions {
  store: string
  key: string
  at?: string
  json?: boolean
  terminal: Terminal
}

export async function catCommand(
  disk: Disk,
  directory: string,
  { store, key: given, at = 'HEAD', json = false, terminal }: CatCommandOptions,
): Promise<ExitCode> {
  const [folder, key] = [folderOf(store), toKey(given, store)]
  return readPast<ExitCode>(disk, directory, at, async (past) => {
    const { state, payload } = await heldState(past, folder)
    const value = toTree(valueOf(folder, state, key, payload))
    const { number } = past.catalog.end
    if (value === undefined) {
      terminal.complain(nothingUnder(key, store, past))
      return 1
    }
    if (json) terminal.print(toJson({ store, key, at: number, value }, 2))
    else for (const line of valueLines(value, terminal)) terminal.print(line)
    return 0
  })
}

/** `varve ls`: the stores of a directory, or the keys of one store, now or at a moment. */
import type { Disk } from '../disk/disk.ts'
import { heldState, keysIn } from '../history/held-state.ts'
import { folderOf, storeOf } from '../history/history-key.ts'
import { erasuresFolder } from '../log/names.ts'
import type { ExitCode } from './exit-code.ts'
import { keyText } from './key-text.ts'
import { readPast } from './open-history.ts'
import { plainText, toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export interface LsCommandOptions {
  store?: string | undefined
  at?: string
  json?: boolean
  terminal: Terminal
}

export async function lsCommand(
  disk: Disk,
  directory: string,
  { store, at = 'HEAD', json = false, terminal }: LsCommandOptions,
): Promise<ExitCode> {
  const folder = store === undefined ? undefined : folderOf(store)
  await readPast(disk, directory, at, async (past) => {
    if (folder === undefined) {
      for (const each of past.catalog.stores.keys()) {
        if (each === erasuresFolder) continue
        const name = storeOf(each, past.catalog)
        terminal.print(json ? toJson({ store: name }) : plainText(name))
      }
      return
    }
    const { state } = await heldState(past, folder)
    for (const key of keysIn(folder, state)) terminal.print(json ? toJson({ store, key }) : keyText(key))
  })
  return 0
}

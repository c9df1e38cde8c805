/** The journal itself, with toy stores. A look goes below it, which is cheap enough for a million of them. */
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { Fold } from '../../src/journal/fold.ts'
import { Home } from '../../src/journal/home.ts'
import { Journal } from '../../src/journal/journal.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import { readPayloads } from '../../src/journal/payload.ts'
import { contents, erase, put, remove, toyOptions } from '../support/toy-store.ts'
import { directory, folders, type Contents, type Seen } from './model.ts'
import type { Player, Subject } from './subject.ts'

const { kindOf } = toyOptions()

async function look(disk: MemoryDisk): Promise<Seen> {
  const home = await Home.open(disk, directory)
  const fold = new Fold(kindOf)
  const reader: Parameters<typeof contents>[0] = {
    load: async (folder) => (await fold.load(folder, home?.source(folder))).state,
    payload: (folder, position) => {
      const [payload] = readPayloads([position], { files: home?.files, folder, pending: () => undefined })
      return payload!
    },
  }
  const seen = {} as Contents
  for (const folder of folders) seen[folder] = Object.entries(await contents(reader, folder))
  await home?.files.close()
  return { commits: home?.catalog.end.number ?? 0, contents: seen }
}

async function open(disk: MemoryDisk, options: Partial<JournalOptions>): Promise<Player> {
  const journal = await Journal.open(directory, toyOptions({ disk, ...options }))
  return {
    put: (folder, entries, payloadBytes) => put(journal, folder, entries, payloadBytes),
    remove: (folder, keys) => remove(journal, folder, keys),
    persist: async () => (await journal.persist())?.number,
    transaction: async (change) => (await journal.transaction({}, change)).commit?.number,
    erase: async (keys) => {
      const commit = await erase(journal, keys)
      return commit && commit.number + 1
    },
    rollback: () => journal.rollback(),
    flush: () => journal.flush(),
    close: () => journal.close(),
  }
}

export const toys: Subject = { look, open }

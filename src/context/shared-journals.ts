/**
 * One journal per directory and process: handles of one directory share its live stores, its pending changes and its lock, however each spells the path.
 * The last one to close ends the session.
 */
import type { Disk } from '../disk/disk.ts'
import { Journal } from '../journal/journal.ts'
import type { JournalOptions } from '../journal/journal-options.ts'
import { asVarveError } from '../disk/disk-errors.ts'

interface Shared {
  opening: Promise<Journal>
  holders: number
}

const registries = new WeakMap<Disk, Map<string, Shared>>()
/** Where each is registered. */
const paths = new WeakMap<Journal, string>()

/** Opens a journal, or joins those who have it open; then it takes up what other processes have committed since. */
export async function openShared(directory: string, options: JournalOptions, open: () => Promise<Journal>): Promise<Journal> {
  const registry = registryOf(options.disk)
  const path = await canonicalPath(options.disk, directory)
  const known = registry.get(path)
  const shared = known ?? { opening: open(), holders: 0 }
  registry.set(path, shared)
  shared.holders++
  try {
    const journal = await shared.opening
    paths.set(journal, path)
    if (known) await journal.refresh()
    return journal
  } catch (error) {
    if (--shared.holders === 0) registry.delete(path)
    throw asVarveError(error, directory)
  }
}

/** Joins whoever has a journal open. */
export function joinShared(journal: Journal, disk: Disk): void {
  const shared = findShared(journal, disk)
  if (shared) shared.holders++
}

/** From now on, others who open this directory share this journal. False if a journal is open there already. */
export async function shareAs(directory: string, journal: Journal, disk: Disk): Promise<boolean> {
  const registry = registryOf(disk)
  const path = await canonicalPath(disk, directory)
  if (registry.has(path)) return false
  registry.set(path, { opening: Promise.resolve(journal), holders: 1 })
  paths.set(journal, path)
  return true
}

/** Gives one hold back; the last one closes the journal. */
export async function release(journal: Journal, disk: Disk): Promise<void> {
  const path = paths.get(journal)
  const shared = path === undefined ? undefined : registryOf(disk).get(path)
  if (!shared || path === undefined) return journal.close()
  if (--shared.holders > 0) return
  registryOf(disk).delete(path)
  await journal.close()
}

function findShared(journal: Journal, disk: Disk): Shared | undefined {
  const path = paths.get(journal)
  return path === undefined ? undefined : registryOf(disk).get(path)
}

function registryOf(disk: Disk): Map<string, Shared> {
  let registry = registries.get(disk)
  if (!registry) {
    registry = new Map()
    registries.set(disk, registry)
  }
  return registry
}

/** The true name of a path whose last parts need not exist. */
async function canonicalPath(disk: Disk, path: string): Promise<string> {
  const trimmed = path.replace(/(.)\/+$/, '$1')
  if (await disk.stat(trimmed)) return disk.realPath(trimmed)
  const slash = trimmed.lastIndexOf('/')
  const parent = slash > 0 ? trimmed.slice(0, slash) : slash === 0 ? '/' : '.'
  if (parent === trimmed) return trimmed
  return `${await canonicalPath(disk, parent)}/${trimmed.slice(slash + 1)}`
}

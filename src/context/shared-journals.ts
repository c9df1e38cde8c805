/**
 * One journal per directory and process: handles of one directory share its live stores, its pending changes and its lock, however each spells the path.
 * Whoever has a journal holds it; the last one to let go closes it.
 */
import type { Disk } from '../disk/disk.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import type { JournalHandle } from '../journal/handle.ts'
import type { Journal } from '../journal/journal.ts'

interface Place {
  opening: Promise<Journal>
  /** Its last holder let go; resolves when the place is free again. */
  closing?: Promise<void>
}

interface Holds {
  count: number
  handles: Set<JournalHandle>
  /** Leaves the registry, once the journal is closed. */
  leave: (closing: Promise<void>) => void
}

const registries = new WeakMap<Disk, Map<string, Place>>()
const holds = new WeakMap<Journal, Holds>()

/** Opens a journal, or joins those who have it open: then it takes up what other processes have committed since. The caller holds it. */
export async function openShared(
  disk: Disk,
  directory: string,
  open: () => Promise<Journal>,
): Promise<Journal> {
  const registry = registryOf(disk)
  for (;;) {
    const path = await namingErrors(directory, () => canonicalPath(disk, directory))
    const known = registry.get(path)
    if (known?.closing) {
      await known.closing
      continue
    }
    const place = known ?? { opening: open() }
    registry.set(path, place)
    try {
      const journal = await place.opening
      if (place.closing) continue
      hold(journal, (closing) => leave(registry, path, place, closing))
      if (known) await refreshed(journal)
      return journal
    } catch (error) {
      if (registry.get(path) === place && !place.closing && !(await isOpen(place))) registry.delete(path)
      throw error
    }
  }
}

/** One more holder. */
export function hold(journal: Journal, leaveRegistry: Holds['leave'] = () => {}): void {
  const held = holds.get(journal)
  if (held) held.count++
  else holds.set(journal, { count: 1, handles: new Set(), leave: leaveRegistry })
}

/** One holder less; the last one closes the journal. */
export async function release(journal: Journal): Promise<void> {
  const held = holds.get(journal)
  if (held && --held.count > 0) return
  const closing = journal.close()
  held?.leave(closing)
  await closing
}

/** All handles of a journal, so that they can move together. */
export function handlesOf(journal: Journal): Set<JournalHandle> {
  return holds.get(journal)?.handles ?? new Set()
}

/**
 * From now on, others who open this directory share this journal, which someone holds. The answer takes that back, unless others came to hold it, if `mayGo` agrees;
 * `undefined`: a journal is open there already.
 */
export async function shareAs(
  disk: Disk,
  directory: string,
  journal: Journal,
): Promise<((mayGo: () => boolean) => void) | undefined> {
  const registry = registryOf(disk)
  const path = await namingErrors(directory, () => canonicalPath(disk, directory))
  const other = registry.get(path)
  if (other?.closing) {
    await other.closing
    return shareAs(disk, directory, journal)
  }
  if (other) return undefined
  const place: Place = { opening: Promise.resolve(journal) }
  registry.set(path, place)
  const held = holds.get(journal)!
  const before = { ...held }
  held.leave = (closing) => leave(registry, path, place, closing)
  return (mayGo) => {
    if (held.count > before.count || !mayGo()) return
    held.leave = before.leave
    registry.delete(path)
  }
}

function leave(registry: Map<string, Place>, path: string, place: Place, closing: Promise<void>): void {
  const free = (): void => void registry.delete(path)
  place.closing = closing.then(free, free)
}

async function refreshed(journal: Journal): Promise<void> {
  try {
    await journal.refresh()
  } catch (error) {
    await release(journal)
    throw error
  }
}

function isOpen({ opening }: Place): Promise<boolean> {
  return opening.then(
    () => true,
    () => false,
  )
}

function registryOf(disk: Disk): Map<string, Place> {
  let registry = registries.get(disk)
  if (!registry) {
    registry = new Map()
    registries.set(disk, registry)
  }
  return registry
}

/** The true name of a path whose last parts need not exist. */
async function canonicalPath(disk: Disk, path: string): Promise<string> {
  const trimmed = path.replace(/(.)(?:\/+|(?:\/\.)+)+$/, '$1')
  if (await disk.stat(trimmed)) return disk.realPath(trimmed)
  const slash = trimmed.lastIndexOf('/')
  const parent = slash > 0 ? trimmed.slice(0, slash) : slash === 0 ? '/' : '.'
  const name = trimmed.slice(slash + 1)
  if (parent === trimmed || name === '.') return trimmed
  const above = await canonicalPath(disk, parent)
  if (name === '..') return above.slice(0, above.lastIndexOf('/')) || '/'
  return above === '/' ? `/${name}` : `${above}/${name}`
}

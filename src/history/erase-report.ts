/** What an erase reached and what it could not, as plain data: JSON can carry all of it. */
import type { Commit } from '../journal/commit.ts'
import type { FoundForErasure, Remaining } from './erase.ts'

export interface EraseReport {
  /** Nothing in the directory is left that was asked for: no file it was converted from, and after `refDocIds` no mention. */
  complete: boolean
  /** The erase commit; `undefined`: all of it was erased before. */
  commit: Commit | undefined
  refDocIds: string[]
  /** Nodes that were erased, those of the documents included. */
  nodeIds: string[]
  /** How many items of each store are gone, over all commits. */
  items: { store: string; items: number }[]
  /** Nodes of others that were kept, without their mentions; their earlier versions are gone. */
  rewritten: Remaining['key'][]
  /** What still says something about it. */
  remaining: Remaining[]
  imported: ImportedReach
  /** What no program can reach from here. */
  beyond: readonly string[]
}

/** Of the JSON files that the directory was converted from, those that are there. */
export interface ImportedReach {
  removed: string[]
  /** `isChanged`: it is not what was imported. */
  notReached: { name: string; isChanged: boolean }[]
}

const beyond = [
  'backups, and copies of the directory',
  'exports, and what else was written elsewhere',
  'what other processes hold in memory, and snapshots that they have open',
  'earlier blocks on copy-on-write file systems and in snapshots of the disk, and cells that a solid-state disk has set aside',
  'messages, actors, metadata and tags of commits',
] as const

export function eraseReport(
  commit: Commit | undefined,
  { plan: _, ...found }: FoundForErasure,
  imported: ImportedReach,
): EraseReport {
  const isMentioned = found.refDocIds.length > 0 && found.remaining.some(({ kind }) => kind === 'mention')
  const complete = imported.notReached.length === 0 && !isMentioned
  return { complete, commit, ...found, imported, beyond }
}

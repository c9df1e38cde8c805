/** Makes the present of one journal equal to that of another, in one commit. */
import { VarveError } from '../errors.ts'
import type { Commit, CommitNote } from '../journal/commit.ts'
import type { EventInput } from '../journal/event.ts'
import type { Journal } from '../journal/journal.ts'
import { kindOf } from '../stores/store-kinds.ts'

/** Throws `VARVE_EMPTY_REPLACE` if the source is empty and the target is not. */
export async function replaceContents(
  source: Journal,
  target: Journal,
  note: CommitNote,
): Promise<Commit | undefined> {
  // Other writers of the process wait, so that what is copied is one moment; a reader has none to wait for, and must not take the lock.
  if (source.directory === undefined || source.hasPendingChanges)
    return source.together(() => copyContents(source, target, note))
  return copyContents(source, target, note)
}

async function copyContents(source: Journal, target: Journal, note: CommitNote): Promise<Commit | undefined> {
  const folders = source.folders()
  for (const folder of folders.keys()) await source.load(folder)
  const isFull = await holdsAnything(target)
  const isEmpty = !(await holdsAnything(source))
  if (isEmpty && !isFull) return undefined
  if (isEmpty)
    throw new VarveError(
      'VARVE_EMPTY_REPLACE',
      `This context is empty, and ${target.directory} is not: persisting would delete everything in it.`,
      {
        directory: target.directory,
      },
    )
  const { commit } = await target.transaction(
    note,
    async () => {
      for (const folder of target.folders().keys()) {
        const state = await target.load(folder)
        await appendAll(target, folder, kindOf(folder).clearing(state))
      }
      for (const folder of folders.keys()) await copyStore(source, target, folder)
    },
    isFull ? 'replace' : 'data',
  )
  return commit
}

/** Adds what one store holds to the same store of another journal, or to that in another folder. */
export async function copyStore(
  source: Journal,
  target: Journal,
  folder: string,
  to = folder,
): Promise<void> {
  const name = source.folders().get(folder)
  if (name !== undefined && to === folder) target.name(folder, name)
  const state = await source.load(folder)
  await target.load(to)
  await appendAll(
    target,
    to,
    kindOf(folder).present(state, (position) => source.payload(folder, position)),
  )
}

/** One step an event, so that large contents can be written early and memory stays flat. */
async function appendAll(journal: Journal, folder: string, events: Iterable<EventInput>): Promise<void> {
  for (const event of events) await journal.write(folder, (_, append) => append(event))
}

async function holdsAnything(journal: Journal): Promise<boolean> {
  for (const folder of journal.folders().keys()) if (await isStoreFull(journal, folder)) return true
  return false
}

/** Whether there is anything in a store. */
export async function isStoreFull(journal: Journal, folder: string): Promise<boolean> {
  return Object.values(await journal.load(folder)).some((table) => table.size > 0)
}

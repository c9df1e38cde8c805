/** How a context comes to its journal: a directory of ours, one of LlamaIndex's, one that is still to be created, memory; or that of stores which have one. */
import type { Disk } from '../disk/disk.ts'
import { nodeDisk } from '../disk/node-disk.ts'
import { randomFill } from '../disk/node-random.ts'
import { shown, VarveError } from '../errors.ts'
import { readLlamaIndexDirectory } from '../interop/llamaindex-directory.ts'
import type { LlamaIndexFile } from '../interop/llamaindex-content.ts'
import { isLlamaIndexName } from '../interop/llamaindex-names.ts'
import type { Commit, CommitNote } from '../journal/commit.ts'
import type { Durability } from '../journal/commit-queue.ts'
import { JournalHandle } from '../journal/handle.ts'
import { Journal } from '../journal/journal.ts'
import type { JournalOptions } from '../journal/journal-options.ts'
import type { Moment } from '../journal/moment.ts'
import { commitsFolder, manifestName, snapshotsFolder } from '../log/names.ts'
import { emptyIfMissing } from '../log/segment-files.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import { changedFiles, stageImport } from './imported-directory.ts'
import { handlesOf, hold, openShared, release, shareAs } from './shared-journals.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { replaceContents } from './replace-contents.ts'

export const defaultPersistDir = './storage'

export interface OpenOptions {
  /** Changing calls throw `VARVE_READ_ONLY`; the directory must exist. */
  readOnly?: boolean
  /** Every outermost call that changes anything commits. */
  autoPersist?: boolean
  /** `'commit'` (default): a resolved `persist()` is on disk. `'buffered'`: it was handed to the operating system; `flush()` and `close()` sync. */
  durability?: Durability
  /** Writes on a network file system, where no lock protects against other machines. */
  networkFileSystem?: boolean
  /** Displaces another writer, even if it lives: whatever it has not persisted is lost. */
  takeover?: boolean
  /** Told what is no error but should be known. Default: `console.warn`. */
  onWarning?: (warning: string) => void
  clock?: () => Date
  /** Fills a buffer with random bytes. Default: the operating system's. */
  random?: (target: Uint8Array) => void
  disk?: Disk
}

interface OpenRequest extends OpenOptions {
  persistDir?: string | undefined
  asOf?: Moment | undefined
  /** The journal of stores that were given. */
  join: JournalHandle | undefined
}

export async function openHandle(request: OpenRequest): Promise<JournalHandle> {
  const { persistDir, join, asOf } = request
  if (persistDir !== undefined) checkPath(persistDir)
  if (asOf !== undefined) return openPastOf(request, asOf)
  if (join && persistDir === undefined) {
    hold(join.journal)
    return handleOf(join.journal, request)
  }
  const options = journalOptions(request)
  const journal =
    persistDir === undefined
      ? inMemory(options)
      : await openPath(persistDir, options, request.readOnly ?? false)
  if (!join || join.journal === journal) return handleOf(journal, request)
  await release(journal)
  throw new VarveError(
    'VARVE_MIXED_JOURNALS',
    `These stores belong to ${join.journal.directory ?? 'memory'}, not to ${persistDir}.`,
    { persistDir },
  )
}

async function openPastOf(request: OpenRequest, asOf: Moment): Promise<JournalHandle> {
  const { persistDir, join, readOnly } = request
  if (persistDir === undefined || join || readOnly === false)
    throw new VarveError(
      'VARVE_BAD_OPTION',
      'asOf opens the past of a persistDir, all of it, for reading only.',
      {
        remedy: 'Give { persistDir, asOf }, and none of our stores.',
      },
    )
  const options = journalOptions(request)
  await checkDirectory(options.disk, persistDir, true)
  return openPast(persistDir, options, asOf)
}

/** The journal of a directory as it was at a moment: not shared with anyone. */
export async function openPast(
  persistDir: string,
  options: JournalOptions,
  moment: Moment,
): Promise<JournalHandle> {
  const journal = await Journal.openPast(persistDir, options, moment)
  hold(journal)
  return handleOf(journal, { readOnly: true })
}

/** Follows the journal of a directory, which may come later. It is not shared: others of this process may have changes in theirs that are pending. */
export async function openFollowed({
  persistDir,
  join,
  asOf,
  readOnly = true,
  autoPersist = false,
  ...request
}: OpenRequest): Promise<JournalHandle> {
  if (persistDir === undefined || join || asOf !== undefined || !readOnly || autoPersist)
    throw new VarveError(
      'VARVE_BAD_OPTION',
      'follow keeps up with the present of a persistDir, all of it, for reading only.',
      {
        remedy: 'Give { persistDir, follow }, and none of our stores.',
      },
    )
  checkPath(persistDir)
  const options = journalOptions(request)
  await checkDirectory(options.disk, persistDir, false)
  const journal = await Journal.follow(persistDir, options)
  const names = journal.exists ? [] : await options.disk.list(persistDir).catch(emptyIfMissing)
  if (names.some(isLlamaIndexName))
    options.onWarning(
      `${persistDir} holds LlamaIndex's files, and no journal yet: nothing of them is shown here until the first persist() of a context that opened it makes one.`,
    )
  hold(journal)
  return handleOf(journal, { readOnly: true })
}

/** A journal of its own, in memory. */
export function handleInMemory(): JournalHandle {
  return handleOf(inMemory(journalOptions({})), {})
}

function inMemory(options: JournalOptions): Journal {
  const journal = Journal.inMemory(options)
  hold(journal)
  return journal
}

/** Of a journal that the caller holds; from now on the handle does. */
function handleOf(
  journal: Journal,
  { readOnly, autoPersist }: Pick<OpenOptions, 'readOnly' | 'autoPersist'>,
): JournalHandle {
  const letGo = (held: Journal): Promise<void> => {
    handlesOf(held).delete(handle)
    return release(held)
  }
  const handle: JournalHandle = new JournalHandle(journal, { readOnly, autoPersist, release: letGo })
  handlesOf(journal).add(handle)
  return handle
}

/** Every handle of the one journal becomes one of the other, which the caller holds and then no more. */
async function moveHandles(from: Journal, to: Journal): Promise<void> {
  const handles = Array.from(handlesOf(from))
  for (const handle of handles) {
    hold(to)
    handlesOf(to).add(handle)
    await handle.moveTo(to)
  }
  await release(to)
}

/** Throws `VARVE_NOT_FOUND` if nothing was ever persisted there. */
export async function openExisting(
  persistDir = defaultPersistDir,
  options: OpenOptions = {},
): Promise<JournalHandle> {
  const handle = await openHandle({ ...options, persistDir, join: undefined })
  const { journal } = handle
  if (journal.exists || imported.has(journal) || journal.hasPendingChanges) return handle
  await handle.close()
  throw new VarveError('VARVE_NOT_FOUND', `Nothing was ever persisted in ${persistDir}.`, {
    directory: persistDir,
  })
}

/** The caller holds it. */
async function openPath(directory: string, options: JournalOptions, readOnly: boolean): Promise<Journal> {
  await checkDirectory(options.disk, directory, readOnly)
  return namingErrors(directory, () =>
    openShared(options.disk, directory, () => openDirectory(directory, options, readOnly)),
  )
}

function checkPath(directory: unknown): void {
  if (typeof directory === 'string' && directory !== '' && !directory.includes('\0')) return
  throw new VarveError(
    'VARVE_BAD_OPTION',
    `A persistDir is the path of a directory, not ${shown(directory)}.`,
    { remedy: "Give one, such as './storage'." },
  )
}

/** Of LlamaIndex's files, and not converted yet. */
const imported = new WeakSet<Journal>()

async function openDirectory(
  directory: string,
  options: JournalOptions,
  readOnly: boolean,
): Promise<Journal> {
  const journal = await Journal.open(directory, options)
  if (journal.exists) {
    await warnOfChangedImport(journal, directory, options)
    return journal
  }
  const content = await readLlamaIndexDirectory(options.disk, directory)
  if (content) {
    for (const { file, message } of content.warnings) options.onWarning(`${file}: ${message}`)
    const fromFiles = Journal.inMemory(options)
    await stageImport(fromFiles, content, options.onWarning)
    fromFiles.attach(directory)
    imported.add(fromFiles)
    return fromFiles
  }
  await refuseOthers(options.disk, directory, readOnly)
  return journal
}

async function checkDirectory(disk: Disk, directory: string, readOnly: boolean): Promise<void> {
  const stat = (path: string) => namingErrors(directory, () => disk.stat(path))
  const status = await stat(directory)
  if (!status && readOnly)
    throw new VarveError('VARVE_NOT_FOUND', `There is no directory ${directory}.`, { directory })
  for (let [path, found] = [directory, status]; ; found = await stat(path)) {
    if (found && found.kind !== 'directory')
      throw new VarveError('VARVE_NOT_A_DIRECTORY', `${path} is not a directory.`, { directory })
    const slash = path.lastIndexOf('/')
    if (found || slash <= 0) return
    path = path.slice(0, slash)
  }
}

/** What a crash before the first commit can leave behind is no reason to refuse; neither are hidden files. */
const harmless = new RegExp(
  `^(\\..*|LOCK.*|${manifestName}.*|${commitsFolder}|${snapshotsFolder}|(docstore|index_store|vector_store|graph_store|property_graph_store|chat_store))$`,
)

export async function refuseOthers(disk: Disk, directory: string, readOnly: boolean): Promise<void> {
  const names = (await disk.stat(directory)) ? await disk.list(directory) : []
  const other = names.find((name) => !harmless.test(name))
  if (other !== undefined)
    throw new VarveError(
      'VARVE_NOT_STORAGE',
      `${directory} holds other things, such as ${other}, and neither a journal nor LlamaIndex's files.`,
      { directory, other },
    )
  if (readOnly)
    throw new VarveError('VARVE_NOT_FOUND', `Nothing was ever persisted in ${directory}.`, { directory })
}

async function warnOfChangedImport(
  journal: Journal,
  directory: string,
  { disk, onWarning }: JournalOptions,
): Promise<void> {
  const first = await journal.commit(1)
  if (first?.kind !== 'import') return
  const files = (first.metadata?.['files'] ?? []) as LlamaIndexFile[]
  const changed = await changedFiles(disk, directory, files)
  if (changed.length === 0) return
  onWarning(
    `${changed.join(', ')} in ${directory} differ from what was imported; the journal counts. Import them into a new directory to have their content.`,
  )
}

/** Persists to a directory that may not be the context's own. */
export async function persistTo(
  handle: JournalHandle,
  directory: string,
  note: CommitNote,
): Promise<Commit | undefined> {
  checkPath(directory)
  const source = handle.journal
  if (source.inTurn) return handle.persist(note)
  const belongs = source.directory === undefined
  if (belongs && handle.readOnly) return handle.persist(note)
  const { options } = source
  const target = await openPath(directory, options, false)
  if (target === source) {
    await release(target)
    return handle.persist(note)
  }
  if (belongs && !target.exists && !target.hasPendingChanges && !imported.has(target)) {
    await release(target)
    const takeBack = await shareAs(options.disk, directory, source)
    if (!takeBack) return persistTo(handle, directory, note)
    source.attach(directory)
    try {
      return await handle.persist(note)
    } catch (error) {
      takeBack(() => source.detach())
      throw error
    }
  }
  let isMoved = false
  try {
    const commit = await replaceContents(source, target, note)
    isMoved = belongs
    return commit
  } finally {
    await (isMoved ? moveHandles(source, target) : release(target))
  }
}

export function journalOptions({
  durability = 'commit',
  networkFileSystem = false,
  takeover = false,
  onWarning = (warning) => console.warn(warning),
  clock = () => new Date(),
  random = randomFill,
  disk = nodeDisk,
}: OpenOptions): JournalOptions {
  if (durability !== 'commit' && durability !== 'buffered')
    throw new VarveError('VARVE_BAD_OPTION', `There is no durability '${String(durability)}'.`, {
      durability,
      remedy: "Choose 'commit' or 'buffered'.",
    })
  return { disk, kindOf, durability, clock, random, onWarning, networkFileSystem, takeover }
}

/** `storage.history`: the questions and the ways back, asked of one context. What they do stands in `history/`. */
import type { Disk } from '../disk/disk.ts'
import { asVarveError, namingErrors } from '../disk/disk-errors.ts'
import { VarveError } from '../errors.ts'
import { differencesOf, type Difference, type DiffOptions } from '../history/difference.ts'
import type { CommitRange } from '../history/commit-events.ts'
import { payloadsOf } from '../history/held-state.ts'
import { fromText, storeOf, type HistoryKey } from '../history/history-key.ts'
import { logOf, type LoggedCommit, type LogOptions } from '../history/log.ts'
import { eraseReport, type EraseReport } from '../history/erase-report.ts'
import { findForErasure, type EraseRequest, type FoundForErasure } from '../history/erase.ts'
import {
  checkpointDirectory,
  proveCommit,
  proveConsistency,
  type CheckpointOptions,
  type CommitProof,
  type ConsistencyProof,
  type SignedCheckpoint,
} from '../history/prove.ts'
import { restoringEvents } from '../history/restoring-events.ts'
import { touchedBetween } from '../history/touched-between.ts'
import { verifyDirectory, type VerifyOptions } from '../history/verify.ts'
import type { VerifyReport } from '../history/verify-report.ts'
import { blameOf, versionsOf, type Blame, type Version } from '../history/versions.ts'
import type { CommitSummary } from '../journal/catalog.ts'
import type { Commit, CommitKind, CommitNote } from '../journal/commit.ts'
import type { Position } from '../journal/event.ts'
import type { JournalHandle } from '../journal/handle.ts'
import { Journal, noHistory } from '../journal/journal.ts'
import { checkTag, resolveMoment, type Moment } from '../journal/moment.ts'
import { readCommit, type CommitLog } from '../journal/read-commit.ts'
import type { LlamaIndexFile } from '../interop/llamaindex-content.ts'
import { checkNote } from './commit-note.ts'
import { importedFiles, reachImported } from './imported-files.ts'

export interface Tag {
  name: string
  /** The number of the commit that it names. */
  commit: number
}

export interface EraseOptions extends EraseRequest {
  /** Why. It stays in the history, so it must not say what. */
  reason: string
  actor?: string | undefined
  /** Removes the JSON files that this directory was converted from, as far as they are still what was imported. */
  removeImported?: boolean | undefined
}

/** What a proof is against, whoever signed it. */
export interface ProveOptions {
  /** The signed note. */
  checkpoint: string
  signal?: AbortSignal
}

/**
 * What verifies and proves reads the directory, all of it, whatever moment a context shows: what is pending does not count, and a writer may be at work. Without a
 * directory it throws `VARVE_NO_SUCH_MOMENT`, or `VARVE_NOT_FOUND` where no journal is yet.
 */
export class StorageHistory {
  readonly #handle: JournalHandle

  /** `StorageContext.history` makes it. */
  constructor(handle: JournalHandle) {
    this.#handle = handle
  }

  /** The commits, the newest first, each with what it touched, as they are read. Throws `VARVE_BAD_MOMENT`, `VARVE_NO_SUCH_MOMENT`. */
  async *log(options?: LogOptions): AsyncGenerator<LoggedCommit> {
    if (this.#journal.exists) yield* this.#reading((log) => logOf(log, options))
  }

  /** Every value that a node, struct, vector or triplet had, the oldest first, `undefined` where it was deleted, each with the commit that set it. */
  versions(store: string, key: HistoryKey): AsyncGenerator<Version> {
    return this.#reading((log) => versionsOf(log, store, key))
  }

  /** For each field of what a key holds now, the commit that set it last. */
  async blame(store: string, key: HistoryKey): Promise<Blame[]> {
    return this.#handle.reading(async () => blameOf(await this.#log(), store, key))
  }

  /** What must change for moment `a` to become moment `b`, key by key. Its cost is what the commits between them touched. */
  diff(a: Moment, b: Moment, options?: DiffOptions): AsyncGenerator<Difference> {
    return this.#reading(async function* (log) {
      const numbers = [await resolveMoment(log, a), await resolveMoment(log, b)] as const
      yield* differencesOf(log, numbers, options)
    })
  }

  /** Gives a moment a name, in a commit of kind `tag`. Throws `VARVE_BAD_TAG` if it has it already, or looks like another kind of moment; `VARVE_NO_SUCH_MOMENT` for the beginning. */
  async tag(name: string, moment: Moment = 'HEAD', note: CommitNote = {}): Promise<Commit> {
    checkTag(name)
    const log = await this.#log()
    const taken = log.catalog.tags.get(name)
    if (taken !== undefined)
      throw new VarveError('VARVE_BAD_TAG', `The tag ${JSON.stringify(name)} names commit ${taken}.`, {
        tag: name,
        commit: taken,
        remedy: 'Choose another name, or call untag() first.',
      })
    const commit = await resolveMoment(log, moment)
    if (commit === 0)
      throw new VarveError('VARVE_NO_SUCH_MOMENT', 'There is no commit 0 to tag: it is the beginning.')
    return this.#handle.tag({ name, commit }, checkNote(note))
  }

  /** In the order they were given. */
  async tags(): Promise<Tag[]> {
    if (!this.#journal.exists) return []
    return Array.from((await this.#log()).catalog.tags, ([name, commit]) => ({ name, commit }))
  }

  /** Takes a name away again, in a commit. Throws `VARVE_NO_SUCH_MOMENT` if nothing has it. */
  async untag(name: string, note: CommitNote = {}): Promise<Commit> {
    const log = await this.#log()
    if (!log.catalog.tags.has(name))
      throw new VarveError('VARVE_NO_SUCH_MOMENT', `There is no tag ${JSON.stringify(name)}.`, { tag: name })
    return this.#handle.tag({ name, commit: undefined }, checkNote(note))
  }

  /**
   * Makes the present hold what a moment held, in one new commit of kind `restore`; `undefined` if it does already. What is pending becomes a commit of its own before.
   * Everything in between stays in the history. Without a message it gets one that names the moment.
   */
  async restore(moment: Moment, note: CommitNote = {}): Promise<Commit | undefined> {
    const number = await resolveMoment(await this.#log(), moment)
    const message = note.message ?? restoreMessage(moment, number)
    return this.#goBack('restore', { ...note, message }, async () => ({
      from: number + 1,
      to: this.#catalogEnd,
    }))
  }

  /**
   * Appends the inverse of a commit as a commit of kind `revert`; `undefined` if it changed nothing. Throws `VARVE_REVERT_CONFLICT`, naming the keys, if later commits, or what is
   * pending, touched what it did. Without a message it gets one that names the commit, with its own message.
   */
  async revert(commit: Moment, note: CommitNote = {}): Promise<Commit | undefined> {
    const number = await resolveMoment(await this.#log(), commit)
    if (number === 0)
      throw new VarveError('VARVE_NO_SUCH_MOMENT', 'There is no commit 0 to revert: it is the beginning.')
    const reverted = await readCommit(this.#journal.log!, number)
    refuseErasing(reverted)
    const message = note.message ?? revertMessage(reverted)
    return this.#goBack('revert', { ...note, message }, async () => {
      await this.#refuseConflicts(number)
      return { from: number, to: number }
    })
  }

  /**
   * Erases documents with everything that came from them, or nodes alone, from the present and from every commit, for good: what `EraseReport` says. What is
   * pending becomes a commit of its own before. Whoever asks the past for what was erased is told `VARVE_ERASED`; lists of the past go on without it.
   * `reason` and `actor` stay in the history, as all that commits say of themselves does.
   *
   * Throws `VARVE_REF_DOC_NOT_FOUND`, `VARVE_NODE_NOT_FOUND` for an id that never was. If the process dies on the way, the next writer completes it.
   */
  async erase({
    refDocIds = [],
    nodeIds = [],
    reason,
    actor,
    removeImported = false,
  }: EraseOptions): Promise<EraseReport> {
    checkRequest(refDocIds, nodeIds, reason)
    const note = checkNote({ message: reason, ...(actor !== undefined && { actor }) })
    const { directory, options } = this.#journal
    let present: Journal | undefined
    let found: FoundForErasure | undefined
    let files: LlamaIndexFile[] = []
    try {
      const commit = await this.#handle.erase(note, async (log) => {
        present = await Journal.openPast(directory!, options, log.catalog.end.number)
        files = await importedFiles(log)
        found = await findForErasure(log, { refDocIds, nodeIds }, present)
        return found.plan
      })
      const imported = await reachImported(options.disk, directory!, { files, remove: removeImported })
      return eraseReport(commit, found!, imported)
    } finally {
      await present?.close()
    }
  }

  /**
   * Reads every byte, and reports what holds, what is damaged, and what follows from it; with `against`, a commit's number and hash or what `verifyCheckpoint` answered,
   * also how far that anchors this history. Damage is an answer and no error. Large stores are read in threads, one for each processor.
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    const { disk, directory } = this.#place
    return verifyDirectory(disk, directory, options)
  }

  /** Signs how many commits there are, and which; to be kept elsewhere. It covers the commits that no crash takes back: of a writer's own, all that were acknowledged as durable. */
  async checkpoint(options: Omit<CheckpointOptions, 'durable'>): Promise<SignedCheckpoint> {
    const { disk, directory } = this.#place
    return checkpointDirectory(disk, directory, { ...options, durable: this.#journal.syncedThrough })
  }

  /** Proves that a commit is in the history that a checkpoint saw, to be verified with `verifyInclusion`. Throws `VARVE_NOT_PROVEN` if it is not, or that history is not this one. */
  async prove(commit: Moment, { checkpoint, signal }: ProveOptions): Promise<CommitProof> {
    const { disk, directory } = this.#place
    const number = await resolveMoment(await this.#log(), commit)
    return proveCommit(disk, directory, { commit: number, checkpoint, ...(signal && { signal }) })
  }

  /** Proves that a checkpoint's history goes on where an older one's ended, to be verified with `verifyConsistency`. Throws `VARVE_NOT_PROVEN` if it does not. */
  async proveConsistency(old: string, { checkpoint, signal }: ProveOptions): Promise<ConsistencyProof> {
    const { disk, directory } = this.#place
    return proveConsistency(disk, directory, { old, checkpoint, ...(signal && { signal }) })
  }

  get #place(): { disk: Disk; directory: string } {
    const { directory, options } = this.#journal
    if (directory === undefined) throw noHistory(directory)
    return { disk: options.disk, directory }
  }

  get #journal(): Journal {
    return this.#handle.journal
  }

  get #catalogEnd(): number {
    return this.#journal.log!.catalog.end.number
  }

  async #log(): Promise<CommitLog> {
    await this.#journal.refresh()
    const { log, directory } = this.#journal
    if (!log) throw noHistory(directory)
    return log
  }

  /** What comes as it is read. What cannot be read since it was erased meanwhile throws `VARVE_ERASED`. */
  async *#reading<T>(read: (log: CommitLog) => AsyncGenerator<T>): AsyncGenerator<T> {
    const log = await this.#log()
    try {
      yield* read(log)
    } catch (error) {
      throw asVarveError(await this.#journal.explain(error), this.#journal.directory!)
    }
  }

  /** Pending changes are committed first, so that what is gone back over is all there is. */
  async #goBack(
    kind: CommitKind,
    note: CommitNote,
    plan: () => Promise<CommitRange>,
  ): Promise<Commit | undefined> {
    const checked = checkNote(note)
    await this.#handle.persist({})
    const { commit } = await this.#handle.transaction(
      checked,
      () => namingErrors(this.#journal.directory!, async () => this.#takeBack(await plan())),
      kind,
    )
    return commit
  }

  /** What the stores hold under the keys that these commits touched becomes what it was before them. */
  async #takeBack(range: CommitRange): Promise<void> {
    const journal = this.#journal
    const log = journal.log!
    for (const [folder, { keys, before }] of await touchedBetween(log, range)) {
      const payload = (position: Position): Uint8Array => journal.payload(folder, position)
      const now = { state: await journal.load(folder), payload }
      const past = { state: await before(), payload: await payloadsOf(log, folder) }
      for (const event of restoringEvents(folder, { keys: Array.from(keys, fromText), now, past }))
        await journal.write(folder, (_, append) => append(event))
    }
  }

  async #refuseConflicts(number: number): Promise<void> {
    const log = this.#journal.log!
    const own = await touchedBetween(log, { from: number, to: number })
    const later = await touchedBetween(log, { from: number + 1, to: log.catalog.end.number })
    const conflicts = Array.from(own).flatMap(([folder, { keys }]) =>
      Array.from(keys)
        .filter((key) => later.get(folder)?.keys.has(key))
        .map((key) => ({ store: storeOf(folder, log.catalog), key: fromText(key) })),
    )
    if (conflicts.length === 0) return
    const shown = conflicts.slice(0, 5).map(({ store, key }) => `${JSON.stringify(key)} in ${store}`)
    const more = conflicts.length > shown.length ? ` and ${conflicts.length - shown.length} more` : ''
    throw new VarveError(
      'VARVE_REVERT_CONFLICT',
      `Commits after ${number} touched what it did: ${shown.join(', ')}${more}.`,
      { commit: number, conflicts },
    )
  }
}

function refuseErasing({ number, kind }: CommitSummary): void {
  if (kind !== 'erase' && kind !== 'erase finished') return
  const remedy = 'What it erased is gone for good.'
  throw new VarveError('VARVE_ERASED', `Commit ${number} cannot be reverted.`, { commit: number, remedy })
}

function revertMessage({ number, note: { message = '' } }: CommitSummary): string {
  const [subject] = message.split('\n')
  return subject ? `Revert "${subject}" (commit ${number})` : `Revert commit ${number}`
}

function restoreMessage(moment: Moment, number: number): string {
  const given = moment instanceof Date ? moment.toISOString() : String(moment)
  return given === String(number) ? `Restore commit ${number}` : `Restore "${given}" (commit ${number})`
}

function checkRequest(refDocIds: readonly string[], nodeIds: readonly string[], reason: unknown): void {
  const fault =
    refDocIds.length > 0 === nodeIds.length > 0
      ? 'erase() takes refDocIds or nodeIds: one of them, and at least one id.'
      : typeof reason !== 'string' || reason.trim() === ''
        ? 'erase() takes a reason.'
        : [...refDocIds, ...nodeIds].some((id) => typeof id !== 'string')
          ? 'Ids are strings.'
          : undefined
  if (fault !== undefined)
    throw new VarveError('VARVE_BAD_OPTION', fault, {
      remedy: "Say erase({ refDocIds: ['…'], reason: '…' }); the reason is kept and cannot be erased.",
    })
}

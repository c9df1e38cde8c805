/**
 * Commits before they are the session's: pending changes are made into them, with the true names of folders that
 * no commit has named yet; they are kept while there is no directory, sent in order, and pending again when a
 * full disk sent them back.
 */
import type { CommitSummary } from './catalog.ts'
import type { Commit, CommitKind, CommitNote } from './commit.ts'
import type { CommitRequest } from './commit-queue.ts'
import type { Fold } from './fold.ts'
import type { Pending, PendingMark } from './pending.ts'
import type { Session } from './session.ts'
import type { Snapshots } from './snapshots.ts'

export class Outbox {
  readonly #pending: Pending
  readonly #fold: Fold
  readonly #snapshots: Snapshots
  readonly #names = new Map<string, string>()
  /** Commits that are made but wait for a directory. */
  #staged: CommitRequest[] = []
  #last: Promise<Commit> | undefined

  constructor(pending: Pending, fold: Fold, snapshots: Snapshots) {
    this.#pending = pending
    this.#fold = fold
    this.#snapshots = snapshots
  }

  get hasStaged(): boolean {
    return this.#staged.length > 0
  }

  /** The last commit that is on its way. */
  get last(): Promise<Commit> | undefined {
    return this.#last
  }

  nameOf(folder: string): string | undefined {
    return this.#names.get(folder)
  }

  /** The next commit of this folder tells its true name. */
  name(folder: string, name: string): void {
    this.#names.set(folder, name)
  }

  /** What is pending as a commit, or what stood before a mark; none if there is nothing. */
  take(kind: CommitKind, note: CommitNote, through?: PendingMark): CommitRequest[] {
    const changes = this.#pending.take(through)
    if (changes.stores.length === 0) return []
    const names: Record<string, string> = {}
    for (const { log } of changes.stores) {
      const name = this.#names.get(log.folder)
      if (name !== undefined) names[log.folder] = name
    }
    return [{ kind, note, changes, names }]
  }

  /** Makes what is pending a commit, which is sent before any other. */
  stage(kind: CommitKind, note: CommitNote): void {
    this.#staged.push(...this.take(kind, note).map((request) => ({ ...request, staged: true as const })))
  }

  /**
   * Sends commits on their way, those staged before first, and answers the promise of the last; in an object,
   * so that it is not awaited yet.
   */
  send(session: Session, take: () => CommitRequest[]): { last: Promise<Commit> } | undefined {
    const all = [...this.#staged.splice(0), ...take()]
    if (all.length === 0) return undefined
    const last = all
      .map((request, index) => this.#enqueue(request, session, { isLast: index === all.length - 1 }))
      .at(-1)!
    return { last }
  }

  /** They are in the catalog, and so are the names. */
  committed(commits: readonly CommitSummary[]): void {
    for (const { names } of commits) for (const folder of Object.keys(names)) this.#names.delete(folder)
  }

  /** A full disk sent it back. */
  returned(request: CommitRequest): void {
    if (request.staged) this.#staged.unshift(request)
    else this.#pending.reopen(request.changes)
  }

  dropStaged(): void {
    this.#staged = []
  }

  /**
   * The states are those of the last commit exactly when nothing is pending: the moment for a snapshot to
   * hold on to them.
   */
  #enqueue(request: CommitRequest, session: Session, { isLast }: { isLast: boolean }): Promise<Commit> {
    const due = isLast && this.#pending.empty ? this.#snapshots.freeze(this.#fold) : undefined
    const commit = session.queue.push(request)
    this.#last = commit
    const settled = (done?: Commit): void => {
      if (this.#last === commit) this.#last = undefined
      if (done) this.#snapshots.write(due, session, done)
      else due?.thaw()
    }
    commit.then(settled, () => settled())
    return commit
  }
}

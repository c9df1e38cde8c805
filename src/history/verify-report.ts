/** What `verify` found, as plain data: JSON can carry all of it. */

export interface VerifyReport {
  directory: string
  /** Nothing that was promised is damaged. */
  intact: boolean
  journal: { id: string; created: string } | undefined
  /** The last commit that counts. */
  head: { number: number; hash: string; time: string } | undefined
  /** Commits that can be read. */
  commits: number
  stores: VerifiedStore[]
  /** Of the commit log, and of all that commits name. */
  bytes: number
  damages: Damage[]
  /** What an unfinished write left at the end, and recovery drops. No damage. */
  torn: TornReport | undefined
  /** Bytes that no commit names: they do not exist for any reader. No damage. */
  unnamed: UnnamedBytes[]
  snapshots: VerifiedSnapshot[]
  /** What was erased, by commit. */
  erasures: VerifiedErasure[]
  /** Who holds the lock: what is torn or unnamed may be its work of this very moment. */
  writer: { pid: number; host: string; state: string } | undefined
  /** Where it was asked for. */
  anchor?: AnchorReport
}

/** What one commit erased. */
export interface VerifiedErasure {
  commit: number
  items: number
  /** Items whose bytes are still there, and which no reader reads. The next writer overwrites them. */
  left: number
  /** A later commit says that all bytes are overwritten. */
  isFinished: boolean
}

/** What something that was kept elsewhere says about this history. */
export interface AnchorReport {
  /**
   * `anchored`: commits 1 to `number` are those it saw. `rewritten`: they are others. `cut short`: the history ends before. `unknown`: some of
   * them are lost.
   */
  state: 'anchored' | 'rewritten' | 'cut short' | 'unknown'
  /** The last commit that it saw. */
  number: number
  /** So many commits came after that: it says nothing of them. */
  later: number
}

/** First and last. */
export type CommitRange = [from: number, to: number]

export type DamageKind = 'manifest' | 'commits' | 'note' | 'segment' | 'part' | 'frame' | 'item' | 'snapshot'

export interface Damage {
  kind: DamageKind
  /** The file, as seen from the directory. */
  path: string
  store?: string
  segment?: number
  offset?: number
  item?: number
  /** The item's event and key, where its row can be read. */
  event?: string
  key?: string
  /** The commits whose bytes these are. */
  commits: CommitRange[]
  fault: string
  /** What cannot be read because of it, and what can. */
  follows: string
}

export interface VerifiedStore {
  folder: string
  /** A namespace's true name, where the folder is only its hash. */
  name?: string
  frames: number
  items: number
  bytes: number
  /** Commits that are damaged or lost as far as this store goes; of a lost commit nobody can tell. */
  damagedCommits: CommitRange[]
  /** All that it held up to this commit is whole. */
  safeThrough: number
}

export interface TornReport {
  commits: number
  bytes: number
  path: string
  offset: number
  fault: string
}

export interface UnnamedBytes {
  path: string
  from: number
  to: number
  /** `leftover`: a segment of which no commit names anything; `sealed away`: behind the end that the next segment states. */
  what: 'leftover' | 'sealed away' | 'unnamed'
}

export interface VerifiedSnapshot {
  path: string
  commit: number
  subject: string
  /**
   * `unreadable`, `other history` and `outdated` (made before an erase that has no end yet) are cache misses: nothing is lost, it is folded anew.
   * `not compared`: what it should equal is damaged.
   */
  state: 'equal' | 'unreadable' | 'other history' | 'outdated' | 'differs' | 'not compared'
}

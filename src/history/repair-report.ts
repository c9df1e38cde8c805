/** What `repair` wrote and what it could not, as plain data. */
import type { CommitRange, VerifyReport } from './verify-report.ts'

export interface RepairReport {
  from: string
  to: string
  /** Commits that were written; those that stand for lost ones are not counted. */
  commits: number
  items: number
  bytes: number
  /** Exactly what could not be carried over. */
  lost: Loss[]
  /** Commits that stand empty in the place of lost ones, so that all others keep their numbers. */
  placeholders: CommitRange[]
  /** The lost ones were too many to stand in for: later commits have lower numbers than before. */
  renumbered: boolean
  /** What the old directory's last writer did not finish; it was left out, as opening it does. */
  torn: VerifyReport['torn']
  /** Files of the old directory that are no part of a journal, such as LlamaIndex's JSON: they were not copied. */
  notCopied: string[]
  /** The same commits in a new chain: their hashes differ. */
  head: { before: string; after: string }
  /** What verifying the old directory found. */
  damages: VerifyReport['damages']
}

export interface Loss {
  /** First and last, where whole commits are lost. */
  commits: CommitRange
  what: 'commits' | 'note' | 'part' | 'event' | 'item'
  store?: string
  /** The event's type, and the item's key, where they can be read. */
  event?: string
  key?: string
  item?: number
  /** So many items, where that can be told. */
  items?: number
  fault: string
}

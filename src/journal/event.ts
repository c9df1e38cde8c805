/** Events: what a store says happened, and what a fold is told. */
import type { Shape } from './shape.ts'
import type { Table, UndoLog } from './table.ts'

/** Where a payload stands: fetched by position, never folded. */
export interface Position {
  segment: number
  offset: number
  length: number
  /** CRC-32 of the payload: one read is one check. */
  crc: number
}

/** A fact about one store, before it is written. Types are in the past tense: `NodesAdded`. */
export interface EventInput {
  type: string
  items: EventItem[]
  /** Set for a batch of vectors: the payloads are the rows of one matrix with this many float32 each. */
  dimensions?: number
}

export interface EventItem {
  /** What folding needs, as plain msgpack data. */
  row: unknown
  payload?: Uint8Array
}

/** A fact read back, or just appended. */
export interface StoredEvent {
  type: string
  version: number
  dimensions?: number
  items: { row: unknown; position: Position }[]
}

/** The folded state of one store: tables that change in place. */
export type StoreState = Readonly<Record<string, Table<any>>> // oxlint-disable-line no-explicit-any -- each kind narrows it

/** What the journal must know of a kind of store; it is generic in the rest. */
export interface StoreKind<S extends StoreState = StoreState> {
  initialState(undo: UndoLog): S
  /** Its types of event, and what their rows look like: `evolve` is told nothing else. */
  readonly rows: Readonly<Record<string, Shape>>
  /** Pure bookkeeping: no clock, no random, no disk. Live, replay, follow and as-of run the same one. */
  evolve(state: S, event: StoredEvent): void
  /** Events that make an empty store equal to this one. */
  present(state: S, payload: (position: Position) => Uint8Array): Iterable<EventInput>
  /** Events that empty this one. */
  clearing(state: S): Iterable<EventInput>
}

/** Current version of every event type; older ones are upcast where they are read. */
export const eventVersion = 1

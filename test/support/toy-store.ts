/** A store of the simplest kind, to test the journal with: keys with a value and a payload. */
import type { Commit } from '../../src/journal/commit.ts'
import { readEvents } from '../../src/journal/read-events.ts'
import type { Journal } from '../../src/journal/journal.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import type { Position, StoreKind } from '../../src/journal/event.ts'
import { anything, count, text, tuple } from '../../src/journal/shape.ts'
import { readCommits } from '../../src/journal/read-commit.ts'
import { Table } from '../../src/journal/table.ts'
import type { ErasedItems } from '../../src/log/erasures.ts'
import { erasuresFolder } from '../../src/log/names.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'

interface ToyValue {
  value: unknown
  position: Position
}

const codec = {
  shape: tuple(anything, count, count, count, count),
  toPlain: ({ value, position }: ToyValue) => [
    value,
    position.segment,
    position.offset,
    position.length,
    position.crc,
  ],
  fromPlain: (plain: unknown): ToyValue => {
    const [value, segment, offset, length, crc] = plain as [unknown, number, number, number, number]
    return { value, position: { segment, offset, length, crc } }
  },
}

export const toyKind: StoreKind<{ values: Table<ToyValue> }> = {
  initialState: (undo) => ({ values: new Table(codec, undo) }),
  rows: { Put: tuple(text, anything), Removed: tuple(text) },
  evolve(state, event) {
    for (const { row, position } of event.items) {
      const [key, value] = row as [string, unknown]
      if (event.type === 'Put') state.values.set(key, { value, position })
      else state.values.delete(key)
    }
  },
  *present(state, payload) {
    for (const [key, { value, position }] of state.values.entries())
      yield { type: 'Put', items: [{ row: [key, value], payload: payload(position) }] }
  },
  *clearing(state) {
    yield { type: 'Removed', items: Array.from(state.values.keys(), (key) => ({ row: [key] })) }
  },
}

export function toyOptions(options: Partial<JournalOptions> = {}): JournalOptions {
  let time = Date.UTC(2026, 0, 1)
  let seed = 1
  return {
    disk: new MemoryDisk(),
    kindOf: () => toyKind,
    durability: 'commit',
    clock: () => new Date((time += 1000)),
    random: (target) => {
      for (let i = 0; i < target.length; i++) {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
        target[i] = seed >>> 16
      }
    },
    onWarning: () => {},
    ...options,
  }
}

export async function put(
  journal: Journal,
  folder: string,
  entries: Record<string, unknown>,
  payloadBytes = 10,
): Promise<void> {
  await journal.write(folder, (_, append) =>
    append({
      type: 'Put',
      items: Object.entries(entries).map(([key, value]) => ({
        row: [key, value],
        payload: payloadOf(key, value, payloadBytes),
      })),
    }),
  )
}

export async function remove(journal: Journal, folder: string, keys: string[]): Promise<void> {
  await journal.write(folder, (_, append) =>
    append({ type: 'Removed', items: keys.map((key) => ({ row: [key] })) }),
  )
}

/** Erases every version of some keys, in all stores. */
export async function erase(journal: Journal, keys: readonly string[]): Promise<Commit | undefined> {
  return journal.erase({ message: 'asked for' }, async (log) => {
    const items: ErasedItems[] = []
    for await (const { summary } of readCommits(log, 1, log.catalog.end.number)) {
      for (const { folder, ...part } of summary.parts) {
        if (folder === erasuresFolder) continue
        const committed = [{ commit: summary.number, parts: [{ folder, ...part }] }]
        for await (const { event, numbers, place } of readEvents(
          { folder, kind: toyKind },
          log.files,
          committed,
        )) {
          const found = event.items.flatMap(({ row }, at) =>
            keys.includes((row as [string])[0]) ? [numbers[at]!] : [],
          )
          if (found.length > 0)
            items.push({ folder, segment: place.segment, offset: place.offset, items: found })
        }
      }
    }
    return items.length > 0 ? { items, ids: new Set(keys), restating: async () => [] } : undefined
  })
}

/** Everything in a store, payloads read and held against what they must be. */
export async function contents(
  journal: Pick<Journal, 'load' | 'payload'>,
  folder: string,
): Promise<Record<string, unknown>> {
  const state = (await journal.load(folder)) as unknown as { values: Table<ToyValue> }
  const found: Record<string, unknown> = {}
  for (const [key, { value, position }] of state.values.entries()) {
    const payload = journal.payload(folder, position)
    if (!Buffer.from(payload).equals(payloadOf(key, value, payload.length)))
      throw new Error(`The payload of ${key} is not what was written.`)
    found[key] = value
  }
  return found
}

export function payloadOf(key: string, value: unknown, bytes: number): Uint8Array {
  return Buffer.alloc(bytes, `${key}=${JSON.stringify(value)};`)
}

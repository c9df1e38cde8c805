/**
 * Under which keys of a struct's field a member stands: which keywords a node has, where a list names it. Made for a field when it is first asked for, and then only
 * told what changed, so that deleting one of many nodes walks through no index.
 */
import type { Table } from '../journal/table.ts'

type Entries = Table<unknown>

const indices = new WeakMap<Entries, StructMembers>()

/** Keys of the table of entries, in no order. `prefix` is what those of the field begin with. */
export function entriesHolding(entries: Entries, prefix: string, member: string): Iterable<string> {
  let known = indices.get(entries)
  if (known === undefined) indices.set(entries, (known = new StructMembers(entries)))
  return known.holding(prefix, member)
}

class StructMembers {
  readonly #entries: Entries
  readonly #fields = new Map<string, FieldMembers>()
  readonly #changed = new Set<string>()

  constructor(entries: Entries) {
    this.#entries = entries
    entries.follow(this.#changed)
  }

  holding(prefix: string, member: string): Iterable<string> {
    for (const key of this.#changed) this.#fields.get(prefixOf(key))?.file(key, this.#entries.get(key))
    this.#changed.clear()
    let field = this.#fields.get(prefix)
    if (field === undefined) {
      field = new FieldMembers()
      for (const [key, value] of this.#entries.entries({ prefix })) field.file(key, value)
      this.#fields.set(prefix, field)
    }
    return field.holding(member)
  }
}

/** What an entry holds: one text as it is, so that fields of texts cost no set each. */
type Held = string | ReadonlySet<string> | undefined

class FieldMembers {
  readonly #held = new Map<string, Held>()
  readonly #keys = new Map<string, string | Set<string>>()

  file(key: string, value: unknown): void {
    const before = this.#held.get(key)
    const now = heldIn(value)
    for (const member of membersOf(before)) if (!holds(now, member)) this.#drop(member, key)
    for (const member of membersOf(now)) if (!holds(before, member)) this.#add(member, key)
    if (now === undefined) this.#held.delete(key)
    else this.#held.set(key, now)
  }

  holding(member: string): Iterable<string> {
    return membersOf(this.#keys.get(member))
  }

  #add(member: string, key: string): void {
    const keys = this.#keys.get(member)
    if (keys === undefined) this.#keys.set(member, key)
    else if (typeof keys === 'string') this.#keys.set(member, new Set([keys, key]))
    else keys.add(key)
  }

  #drop(member: string, key: string): void {
    const keys = this.#keys.get(member)
    if (typeof keys === 'string' || keys?.size === 1) this.#keys.delete(member)
    else keys?.delete(key)
  }
}

/** A copy: sets are changed in place. */
function heldIn(value: unknown): Held {
  if (value instanceof Set) return new Set(value as Set<string>)
  return typeof value === 'string' ? value : undefined
}

function membersOf(held: Held): Iterable<string> {
  return typeof held === 'string' ? [held] : (held ?? [])
}

function holds(held: Held, member: string): boolean {
  return typeof held === 'string' ? held === member : (held?.has(member) ?? false)
}

/** `slot/field/`. */
export function prefixOf(key: string): string {
  return key.slice(0, key.indexOf('/', key.indexOf('/') + 1) + 1)
}

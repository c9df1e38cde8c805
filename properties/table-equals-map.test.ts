/**
 * A `Table` is a `Map`, whatever is set, deleted, changed in place, undone, frozen, settled, thawed, loaded
 * again or forked: order included.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anything } from '../src/journal/shape.ts'
import { Table, type FrozenTable, type UndoLog } from '../src/journal/table.ts'

const codec = {
  shape: anything,
  toPlain: (value: number[]) => value,
  fromPlain: (plain: unknown) => plain as number[],
  copy: (value: number[]) => [...value],
}

const key = fc.constantFrom('a', 'ab', 'b', 'c', 'd', '__proto__', '', 'ü', 'üb')
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('set'), key, value: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('delete', 'update'), key, value: fc.nat(9) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'begin',
        'rollback',
        'commit',
        'freeze',
        'fill',
        'settle',
        'thaw',
        'load',
        'fork',
      ),
      key,
      value: fc.nat(3),
    }),
  },
)

class Pair {
  seen: unknown[] = []
  wanted: unknown[] = []
  undo: UndoLog = { entries: undefined }
  table = new Table<number[]>(codec, this.undo)
  model = new Map<string, number[]>()
  saved: Map<string, number[]> | undefined
  frozen: { table: FrozenTable; model: [string, number[]][] } | undefined

  /** Left behind by forks; nothing happens to them any more. */
  aside: { table: Table<number[]>; model: [string, number[]][] }[] = []

  run({ kind, key: at, value }: { kind: string; key: string; value: number }): void {
    switch (kind) {
      case 'set':
        this.table.set(at, [value])
        this.model.set(at, [value])
        break
      case 'delete':
        this.note(this.table.delete(at), this.model.delete(at))
        break
      case 'update':
        this.table.update(
          at,
          (list) => list.push(value),
          (list) => void list.pop(),
        )
        if (this.model.has(at)) this.model.set(at, [...this.model.get(at)!, value])
        break
      case 'begin':
        if (this.saved || this.frozen) break
        this.saved = new Map(this.model)
        this.undo.entries = []
        break
      case 'rollback':
        for (const change of this.undo.entries?.reverse() ?? []) change.undo()
        if (this.saved) this.model = this.saved
        this.end()
        break
      case 'commit':
        this.end()
        break
      case 'freeze':
        // As in the journal: states are held on to only when nothing is pending.
        if (this.saved || this.frozen) break
        this.frozen = { table: this.table.freeze(), model: [...this.model] }
        this.saved = new Map(this.model)
        this.undo.entries = []
        break
      case 'fill': {
        let left = value
        this.frozen?.table.fill(() => left-- <= 0)
        break
      }
      case 'settle':
        if (this.frozen) this.settle(this.frozen)
        break
      case 'thaw':
        this.table.thaw()
        this.frozen = undefined
        break
      case 'fork':
        this.fork()
        break
      default:
        if (!this.saved && !this.frozen) this.reload()
    }
  }

  end(): void {
    this.saved = undefined
    this.undo.entries = undefined
  }

  settle({ table, model }: NonNullable<Pair['frozen']>): void {
    while (!table.fill(() => false)) continue
    const bytes = table.build()
    this.table.settle(bytes)
    this.frozen = undefined
    const loaded = new Table<number[]>(codec, { entries: undefined })
    loaded.load(bytes)
    this.note([...loaded.entries()], model)
  }

  reload(): void {
    const frozen = this.table.freeze()
    frozen.fill(() => false)
    this.undo = { entries: undefined }
    this.table = new Table(codec, this.undo)
    this.table.load(frozen.build())
  }

  /** Goes on with the one or the other, in turn. */
  fork(): void {
    const model = [...this.model]
    const fork = this.table.fork(this.undo)
    const isLeft = this.saved || this.frozen || this.aside.length % 2 === 0
    this.aside.push({ table: isLeft ? fork : this.table, model })
    if (!isLeft) this.table = fork
  }

  lookAside(): void {
    for (const { table, model } of this.aside) {
      this.note([...table.entries()], model)
      this.note(table.size, model.length)
    }
  }

  look(): void {
    this.note([...this.table.entries()], [...this.model])
    this.note([...this.table.keys()], [...this.model.keys()])
    for (const prefix of ['a', 'ab', '__', 'ü', 'nobody'])
      this.note(
        [...this.table.entries({ prefix })],
        [...this.model].filter(([at]) => at.startsWith(prefix)),
      )
    this.note(this.table.size, this.model.size)
    for (const at of ['a', 'b', '__proto__', 'nobody']) {
      this.note(this.table.get(at), this.model.get(at))
      this.note(this.table.has(at), this.model.has(at))
    }
  }

  note(seen: unknown, wanted: unknown): void {
    this.seen.push(structuredClone(seen)) // Values are changed in place.
    this.wanted.push(wanted)
  }
}

test('a table equals a map', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pair = new Pair()
      for (const each of steps) {
        pair.run(each)
        pair.look()
      }
      pair.lookAside()
      expect(pair.seen).toEqual(pair.wanted)
    }),
    { numRuns: 1500 },
  )
})

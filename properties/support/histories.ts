/** Random histories of two toy stores, and what each commit of them must hold. */
import fc from 'fast-check'
import type { Journal } from '../../src/journal/journal.ts'
import { put, remove } from '../../test/support/toy-store.ts'

export const directory = '/storage'
const folders = ['docstore', 'index_store'] as const

type Folder = (typeof folders)[number]
export type Step =
  | { kind: 'put'; folder: Folder; key: string; value: number; bytes: number }
  | { kind: 'remove'; folder: Folder; key: string }
  | { kind: 'persist' | 'rollback' | 'reopen' | 'flush' }

const folder = fc.constantFrom(...folders)
const key = fc.constantFrom('a', 'b', 'c', '__proto__', 'é', '../../x')
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      folder,
      key,
      value: fc.nat(99),
      bytes: fc.nat(400),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), folder, key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('persist' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('rollback' as const, 'reopen' as const, 'flush' as const) }),
  },
)

export type Contents = Record<Folder, [string, unknown][]>

/** Follows the steps in maps. */
export class Model {
  live = empty()
  readonly commits: ReturnType<typeof empty>[] = [empty()]

  apply(each: Step): void {
    if (each.kind === 'put') this.live[each.folder].set(each.key, each.value)
    else if (each.kind === 'remove') this.live[each.folder].delete(each.key)
    else if (each.kind === 'persist') this.commits.push(copy(this.live))
    else if (each.kind !== 'flush') this.live = copy(this.commits.at(-1)!)
  }

  at(commit: number): Contents {
    const { docstore, index_store } = this.commits[commit]!
    return { docstore: [...docstore], index_store: [...index_store] }
  }

  get now(): Contents {
    return { docstore: [...this.live.docstore], index_store: [...this.live.index_store] }
  }
}

function empty(): Record<Folder, Map<string, unknown>> {
  return { docstore: new Map(), index_store: new Map() }
}

function copy(of: ReturnType<typeof empty>): ReturnType<typeof empty> {
  return { docstore: new Map(of.docstore), index_store: new Map(of.index_store) }
}

/** Takes a step in a journal; answers false if it was an empty persist, which makes no commit. */
export async function take(journal: Journal, each: Step): Promise<boolean> {
  if (each.kind === 'put') await put(journal, each.folder, object(each.key, each.value), each.bytes)
  else if (each.kind === 'remove') await remove(journal, each.folder, [each.key])
  else if (each.kind === 'persist') return (await journal.persist()) !== undefined
  else if (each.kind === 'rollback') await journal.rollback()
  else if (each.kind === 'flush') await journal.flush()
  else await journal.close()
  return true
}

/** Payloads are read and held against what they must be. */
export async function read(journal: Journal): Promise<Contents> {
  const [docstore, index_store] = await Promise.all(folders.map((each) => entries(journal, each)))
  return { docstore: docstore!, index_store: index_store! }
}

async function entries(journal: Journal, each: Folder): Promise<[string, unknown][]> {
  const { payloadOf } = await import('../../test/support/toy-store.ts')
  const state = (await journal.load(each)) as unknown as {
    values: { entries(): Iterable<[string, { value: unknown; position: never }]> }
  }
  return Array.from(state.values.entries(), ([at, { value, position }]) => {
    const payload = journal.payload(each, position)
    if (!Buffer.from(payload).equals(payloadOf(at, value, payload.length)))
      throw new Error(`The payload of ${at} is not what was written.`)
    return [at, value]
  })
}

function object(at: string, value: unknown): Record<string, unknown> {
  return Object.fromEntries([[at, value]])
}

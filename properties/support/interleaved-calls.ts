/** Clients that call a storage context at the same time, and a record of when each call began, ended, and what it was to change. */
import fc from 'fast-check'
import { TextNode, VarveError, type StorageContext } from '../../src/index.ts'
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'

/** `insert` is one call of one store; the others of one client follow each other. */
export type Step =
  | { do: 'insert' | 'persist' | 'rollback' | 'close' }
  | { do: 'together'; throws: boolean }
  | {
      do: 'transaction'
      inner: ('write' | 'transaction' | 'failing transaction' | 'persist' | 'rollback')[]
      throws: boolean
    }

export interface Client {
  /** Which of the two contexts of the directory it calls. */
  context: 0 | 1
  steps: Step[]
}

const inner = fc.constantFrom('write', 'transaction', 'failing transaction', 'persist', 'rollback')
const throws = fc.integer({ min: 0, max: 3 }).map((number) => number === 0)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: 'insert' } as const) },
  { weight: 4, arbitrary: fc.constant({ do: 'persist' } as const) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('together' as const), throws }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('transaction' as const),
      inner: fc.array(inner, { minLength: 1, maxLength: 3 }),
      throws,
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'rollback' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'close' } as const) },
)
export const clients: fc.Arbitrary<Client[]> = fc.array(
  fc.record({ context: fc.constantFrom(0, 1), steps: fc.array(step, { minLength: 1, maxLength: 5 }) }),
  { minLength: 2, maxLength: 3 },
)

/** What is there as a whole or not at all. */
export interface Group {
  /** A part of the group, one in each store; of an `insert` in the docstore only. */
  ids: string[]
  isInsert: boolean
  called: number
  /** When the call that made it resolved; `undefined`: it threw, and must have left nothing. */
  made?: number
  /** It resolved as a commit. */
  isCommit: boolean
}

export interface Call {
  kind: 'persist' | 'transaction' | 'rollback' | 'close'
  called: number
  settled: number
  ok: boolean
}

export interface Image {
  at: number
  /** What a power cut leaves at this moment. */
  disk: MemoryDisk
}

export class Run {
  readonly groups: Group[] = []
  readonly calls: Call[] = []
  readonly images: Image[] = []
  readonly #contexts: readonly [StorageContext, StorageContext]
  readonly #disk: MemoryDisk
  readonly #pause: () => Promise<void>
  readonly #closed = new Set<number>()
  #time = 0

  constructor(
    contexts: readonly [StorageContext, StorageContext],
    disk: MemoryDisk,
    pause: () => Promise<void>,
  ) {
    this.#contexts = contexts
    this.#disk = disk
    this.#pause = pause
  }

  now(): number {
    return ++this.#time
  }

  isClosed(context: number): boolean {
    return this.#closed.has(context)
  }

  async serve({ context, steps }: Client): Promise<void> {
    for (const each of steps) {
      await this.#pause()
      const wasClosed = this.isClosed(context)
      try {
        await this.#take(each, context)
        if (wasClosed && each.do !== 'close') throw new Error(`${each.do} in a closed context did not throw`)
      } catch (error) {
        if (error !== thrown && !(isError(error, 'VARVE_CLOSED') && this.isClosed(context))) throw error
      }
    }
  }

  async #take(each: Step, context: number): Promise<void> {
    const storage = this.#contexts[context]!
    switch (each.do) {
      case 'insert':
        return this.#group({ isInsert: true }, ([id]) => storage.docstore.addDocuments([nodeOf(id!)]))
      case 'together':
        return this.#group({}, (ids) =>
          storage.together(async () => {
            await this.#write(storage, ids)
            if (each.throws) throw thrown
          }),
        )
      case 'transaction':
        return this.#transaction(storage, each)
      case 'persist':
        return this.#call('persist', async () => void (await storage.persist()))
      case 'rollback':
        return this.#call('rollback', () => storage.rollback())
      case 'close':
        this.#closed.add(context)
        return this.#call('close', () => storage.close())
    }
  }

  #transaction(storage: StorageContext, each: Step & { do: 'transaction' }): Promise<void> {
    return this.#call('transaction', () =>
      this.#group({ isCommit: true }, (ids) =>
        storage.transaction({}, async () => {
          for (const step of each.inner) {
            await this.#pause()
            if (step === 'write') await this.#write(storage, ids)
            else if (step === 'transaction') await storage.transaction({}, () => this.#write(storage, ids))
            else if (step === 'failing transaction') await this.#failInside(storage)
            else await mustRefuse(step === 'persist' ? storage.persist() : storage.rollback())
          }
          if (each.throws) throw thrown
        }),
      ),
    )
  }

  /** What it wrote is gone when it has thrown; what is around it goes on. */
  #failInside(storage: StorageContext): Promise<void> {
    const failing = this.#group({}, (ids) =>
      storage.transaction({}, async () => {
        await this.#write(storage, ids)
        throw thrown
      }),
    )
    return failing.catch((error: unknown) => {
      if (error !== thrown) throw error
    })
  }

  /** One more part of a group, in all stores; other clients may come in between. */
  async #write(storage: StorageContext, ids: string[]): Promise<void> {
    const id = String(this.now())
    ids.push(id)
    const node = nodeOf(id)
    await storage.docstore.addDocuments([node])
    await this.#pause()
    await storage.vectorStore.add([node])
    await this.#pause()
    await storage.graphStore.upsertTriplet(id, 'is', 'there')
  }

  async #group(
    { isInsert = false, isCommit = false }: Partial<Group>,
    act: (ids: string[]) => Promise<void>,
  ): Promise<void> {
    const called = this.now()
    const group: Group = { ids: isInsert ? [String(called)] : [], isInsert, isCommit, called }
    this.groups.push(group)
    await act(group.ids)
    group.made = this.now()
  }

  async #call(kind: Call['kind'], act: () => Promise<void>): Promise<void> {
    const call: Call = { kind, called: this.now(), settled: Infinity, ok: false }
    this.calls.push(call)
    try {
      await act()
      call.ok = true
    } finally {
      call.settled = this.now()
      this.images.push({ at: call.settled, disk: this.#disk.image('none') })
    }
  }
}

const thrown = new Error('thrown by the caller')

function nodeOf(id: string): TextNode {
  return new TextNode({ id_: id, text: `Text of ${id}`, embedding: [1, Number(id)] })
}

async function mustRefuse(call: Promise<unknown>): Promise<void> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  const isRefused = isError(error, 'VARVE_IN_TRANSACTION') || isError(error, 'VARVE_CLOSED')
  if (!isRefused) throw new Error('was not refused in a transaction', { cause: error })
}

function isError(error: unknown, code: string): boolean {
  return error instanceof VarveError && error.code === code
}

/**
 * Our index store as LlamaIndexTS's, which hands over the whole struct at every insert. Of a vector index's struct only the keys are compared, with those that this store
 * read or wrote last, and only what came or went is stored.
 */
import type { IndexDict, IndexStruct as CoreStruct } from '@llamaindex/core/data-structs'
import type { BaseIndexStore } from '@llamaindex/core/storage/index-store'
import type { StorageContext } from '../context/storage-context.ts'
import { VarveError } from '../errors.ts'
import type { JournalDocumentStore } from '../stores/document-store.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { Autosave } from './autosave.ts'
import type { Core } from './core.ts'
import { entryOf, isDict, structFromCore, structToCore } from './core-structs.ts'

const field = 'nodesDict'

export class DropInIndexStore implements BaseIndexStore {
  readonly #storage: StorageContext
  readonly #core: Core
  readonly #autosave: Autosave
  /** The keys of each vector index's struct, in the order in which LlamaIndexTS has them. */
  readonly #keys = new Map<string, readonly string[]>()

  constructor(storage: StorageContext, core: Core, autosave: Autosave) {
    this.#storage = storage
    this.#core = core
    this.#autosave = autosave
  }

  async addIndexStruct(indexStruct: CoreStruct): Promise<void> {
    await this.#autosave.during(async () => {
      if (isDict(indexStruct)) return this.#addDict(indexStruct)
      await this.#storage.indexStore.addIndexStruct(structFromCore(indexStruct))
      // Indices without vectors end their work with this.
      this.#autosave.releaseAll()
    })
  }

  async deleteIndexStruct(key: string): Promise<void> {
    await this.#autosave.during(() => this.#storage.indexStore.deleteIndexStruct(key))
  }

  /** Without an id: the only one. Throws `VARVE_SEVERAL_INDICES`. */
  async getIndexStruct(structId?: string): Promise<CoreStruct | undefined> {
    return this.#autosave.during(async () => {
      if (structId === undefined) return this.#onlyStruct()
      const struct = await this.#storage.indexStore.getIndexStruct(structId)
      return struct && structToCore(struct, this.#docstore, this.#core)
    })
  }

  /** Those of types that LlamaIndexTS does not have are left out. */
  async getIndexStructs(): Promise<CoreStruct[]> {
    return this.#autosave.during(async () => {
      const structs: CoreStruct[] = []
      for (const struct of await this.#storage.indexStore.indexStructs()) {
        const known = await structToCore(struct, this.#docstore, this.#core)
        if (known) structs.push(known)
      }
      return structs
    })
  }

  /** Does nothing: the context saves by itself, and has a `persist()` that can be awaited. */
  async persist(): Promise<void> {}

  /** The context of a drop-in has no other. */
  get #docstore(): JournalDocumentStore {
    return this.#storage.docstore as JournalDocumentStore
  }

  async #onlyStruct(): Promise<CoreStruct | undefined> {
    const structs = await this.getIndexStructs()
    if (structs.length <= 1) return structs[0]
    const indexIds = structs.map(({ indexId }) => indexId)
    throw new VarveError(
      'VARVE_SEVERAL_INDICES',
      `There are ${structs.length} indices in this storage: ${indexIds.join(', ')}.`,
      { indexIds },
    )
  }

  async #addDict(struct: IndexDict): Promise<void> {
    const { indexStore } = this.#storage
    const { indexId, nodesDict, summary, type } = struct
    let view = await indexStore.viewIndexStruct!(indexId)
    if (!view) {
      await indexStore.addIndexStruct({ indexId, type, summary: summary ?? null, [field]: new Map() })
      view = (await indexStore.viewIndexStruct!(indexId))!
    }
    const keys = Object.keys(nodesDict)
    const { came, gone } = difference(this.#keysOf(view), keys)
    const changes: StructChange[] = gone.map((key) => ({ op: 'delete', field, key }))
    for (const key of came) {
      const value = await entryOf(nodesDict[key]!, this.#storage.docstore)
      changes.push({ op: 'set', field, key, value })
    }
    if ((summary ?? null) !== view.summary)
      changes.push({ op: 'replace', field: 'summary', value: summary ?? null })
    if (changes.length > 0) await indexStore.changeIndexStruct!(indexId, changes)
    this.#keys.set(indexId, keys)
  }

  /** Those of last time, unless someone else has changed the struct since. */
  #keysOf(view: StructView): readonly string[] {
    const known = this.#keys.get(view.indexId)
    return known?.length === view.size(field) ? known : [...view.keys(field)]
  }
}

/** Mostly, keys come at the end. */
function difference(before: readonly string[], now: readonly string[]): { came: string[]; gone: string[] } {
  let same = 0
  while (same < before.length && before[same] === now[same]) same++
  const gone = new Set(before.slice(same))
  const came = now.slice(same).filter((key) => !gone.delete(key))
  return { came, gone: [...gone] }
}

/** Reads a vector store's file of either dialect: vectors, the source documents they belong to, and their metadata. */
import { isPlainSpelling, takeSpelling } from '../stores/spelling.ts'
import { isObject } from './llamaindex-field.ts'
import { badShape, membersOf } from './llamaindex-shape.ts'
import type { LlamaIndexDialect, VectorRecord } from './llamaindex-content.ts'
import type { ReadContext } from './llamaindex-docstore.ts'
import type { ValueReader } from './llamaindex-json.ts'
import type { ReadVector } from './read-vector.ts'

export interface VectorsContent {
  /** By its keys; `undefined` if it holds neither dialect's. */
  dialect?: LlamaIndexDialect
  vectors: VectorRecord[]
}

type Part = 'vectors' | 'refDocIds' | 'metadata'

const parts: Readonly<Record<string, [Part, LlamaIndexDialect]>> = {
  embedding_dict: ['vectors', 'python'],
  text_id_to_ref_doc_id: ['refDocIds', 'python'],
  // Up to 0.6.
  text_id_to_doc_id: ['refDocIds', 'python'],
  metadata_dict: ['metadata', 'python'],
  embeddingDict: ['vectors', 'typescript'],
  textIdToRefDocId: ['refDocIds', 'typescript'],
  metadataDict: ['metadata', 'typescript'],
}

/** What LlamaIndex for Python writes for a node without a source. */
const noSource = 'None'

export function readVectors(reader: ValueReader, context: Omit<ReadContext, 'dialect'>): VectorsContent {
  const { file, warn } = context
  const vectors = new Map<string, ReadVector>()
  const refDocIds = new Map<string, unknown>()
  const metadata = new Map<string, unknown>()
  let dialect: LlamaIndexDialect | undefined
  for (const key of membersOf(reader, file, 'it')) {
    const [part, partDialect] = (Object.hasOwn(parts, key) && parts[key]) || []
    if (part === undefined) {
      warn(`The part "${key}" is unknown, and was left out.`)
      continue
    }
    dialect ??= partDialect
    if (part === 'vectors') readEmbeddings(reader, vectors, context)
    else {
      const target = part === 'metadata' ? metadata : refDocIds
      for (const id of membersOf(reader, file, key)) target.set(id, reader.value())
    }
  }
  reader.end()
  warnOfOrphans(vectors, refDocIds, metadata, warn)
  const records = [...vectors].map(([id, vector]) =>
    toRecord(id, vector, refDocIds.get(id), metadata.get(id)),
  )
  return { vectors: records, ...(dialect && { dialect }) }
}

function readEmbeddings(
  reader: ValueReader,
  vectors: Map<string, ReadVector>,
  { file, warn }: Omit<ReadContext, 'dialect'>,
): void {
  for (const id of membersOf(reader, file, 'the embeddings')) {
    const later = reader.numbersLater?.()
    if (later !== undefined) {
      vectors.set(id, deferred(later, `${file} (vector ${id})`))
      continue
    }
    const read = reader.numbers()
    if (read !== undefined && read.vector.length > 0) vectors.set(id, read)
    else warn(`${id} has no vector but ${read ? 'an empty list' : 'something else'}, and was left out.`)
  }
}

/** Read when asked for; the last one stays, since whoever asks for one part asks for the other. */
function deferred(read: () => ReadVector | undefined, place: string): ReadVector {
  const whole = (): ReadVector => {
    if (last?.read === read) return last.vector
    const vector = read()
    if (vector === undefined) throw badShape(place, 'it is not a list of numbers')
    last = { read, vector }
    return vector
  }
  return {
    get vector() {
      return whole().vector
    },
    get numerals() {
      return whole().numerals
    },
  }
}

let last: { read: () => ReadVector | undefined; vector: ReadVector } | undefined

function toRecord(id: string, read: ReadVector, refDocId: unknown, metadata: unknown): VectorRecord {
  const hasSource = typeof refDocId === 'string' && refDocId !== noSource
  const { value, spelling } = takeSpelling(metadata)
  return {
    id,
    get vector() {
      return read.vector
    },
    get numerals() {
      return read.numerals
    },
    ...(hasSource && { refDocId }),
    ...(isObject(value) && { metadata: value }),
    ...(!isPlainSpelling(spelling) && { spelling }),
  }
}

/** With their vectors in memory. */
export function readRecords(records: readonly VectorRecord[]): VectorRecord[] {
  return records.map(({ numerals = 0, ...record }) => ({ ...record, ...(numerals !== 0 && { numerals }) }))
}

function warnOfOrphans(
  vectors: ReadonlyMap<string, unknown>,
  refDocIds: ReadonlyMap<string, unknown>,
  metadata: ReadonlyMap<string, unknown>,
  warn: ReadContext['warn'],
): void {
  const orphans = new Set([...refDocIds.keys(), ...metadata.keys()].filter((id) => !vectors.has(id)))
  if (orphans.size > 0)
    warn(`${orphans.size} ids have a source or metadata but no vector; these were left out.`)
}

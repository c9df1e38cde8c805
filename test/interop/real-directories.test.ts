import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeDisk } from '../../src/disk/node-disk.ts'
import { readLlamaIndexDirectory } from '../../src/interop/llamaindex-directory.ts'
import { matchesHash } from '../../src/stores/matches-hash.ts'
import { nodeFromStored, nodeToStored } from '../../src/stores/node-codec.ts'
import type { LlamaIndexContent } from '../../src/interop/llamaindex-content.ts'

const realRoot = join(import.meta.dirname, '../../../shared/llamaindex-dirs')
const hasReal = existsSync(realRoot)
if (!hasReal) console.warn(`skipped: real LlamaIndex directories, since ${realRoot} is not there`)

/** What a directory holds by the plainest reading of its JSON. */
interface Counts {
  nodes: number
  records: number
  refDocs: number
  structs: string[]
  vectors: Record<string, number>
  triplets: number
}

type Json = Record<string, Record<string, Record<string, unknown>>>

function countPlainly(directory: string): Counts {
  const load = (name: string) => {
    const file = join(directory, name)
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Json) : {}
  }
  const size = (object: object | undefined) => Object.keys(object ?? {}).length
  const docs = { ...load('docstore.json'), ...load('doc_store.json') }
  const index = Object.values(load('index_store.json'))[0] ?? {}
  const vectorFiles = readdirSync(directory).filter((name) => name.endsWith('vector_store.json'))
  const insideStructs = Object.values(index).flatMap((struct) =>
    Object.entries(struct.nodesDict ?? {}).flatMap(([id, node]) => (typeof node === 'object' ? [id] : [])),
  )
  const nodes = new Set([...Object.keys(docs['docstore/data'] ?? {}), ...insideStructs])
  const sources = Object.values(docs['docstore/data'] ?? {}).map(({ __data__: data }) => {
    const source = (data as { relationships?: Record<string, unknown> }).relationships?.['1']
    return typeof source === 'string' ? source : undefined
  })
  return {
    nodes: nodes.size,
    records: size(docs['docstore/metadata']),
    refDocs: size(docs['docstore/ref_doc_info']) || new Set(sources.filter((id) => id !== undefined)).size,
    structs: Object.values(index).map((struct) => String(struct.__type__ ?? struct.type)),
    vectors: Object.fromEntries(
      vectorFiles.map((name) => {
        const { embedding_dict, embeddingDict } = load(name)
        return [
          name === 'vector_store.json' ? 'default' : (name.split('__')[0] ?? ''),
          size(embedding_dict ?? embeddingDict),
        ]
      }),
    ),
    triplets: Object.values(load('graph_store.json').graph_dict ?? {}).reduce(
      (sum, pairs) => sum + size(pairs),
      0,
    ),
  }
}

function count(content: LlamaIndexContent): Counts {
  return {
    nodes: content.nodes.length,
    records: content.documentMetadata.size,
    refDocs: content.refDocs.size,
    structs: content.structs.map(({ type }) => type),
    vectors: Object.fromEntries(
      [...content.vectors].map(([namespace, records]) => [namespace, records.length]),
    ),
    triplets: content.graph.length,
  }
}

async function readReal(folder: string): Promise<LlamaIndexContent> {
  const content = await readLlamaIndexDirectory(nodeDisk, join(realRoot, folder))
  if (content === undefined) throw new Error(`${folder} was not recognised`)
  return content
}

describe.skipIf(!hasReal)('every real directory', () => {
  const folders = hasReal
    ? readdirSync(realRoot).filter((name) => statSync(join(realRoot, name)).isDirectory())
    : []

  test.each(folders)('%s is read completely', async (folder) => {
    expect(count(await readReal(folder))).toEqual(countPlainly(join(realRoot, folder)))
  })

  test.each(folders)('%s has its files recorded with size and hash', async (folder) => {
    const { files } = await readReal(folder)
    for (const { name, sizeBytes, modifiedMs, sha256 } of files) {
      const bytes = readFileSync(join(realRoot, folder, name))
      expect(sizeBytes).toBe(bytes.length)
      expect(modifiedMs).toBeCloseTo(statSync(join(realRoot, folder, name)).mtimeMs, 0)
      expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    }
  })

  test.each(folders)('%s has vectors equal to its numbers', async (folder) => {
    const { vectors } = await readReal(folder)
    for (const [namespace, records] of vectors) {
      const spaced = join(realRoot, folder, `${namespace}__vector_store.json`)
      const file = existsSync(spaced) ? spaced : join(realRoot, folder, 'vector_store.json')
      const json = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Record<string, unknown>>
      const embeddings = (json.embedding_dict ?? json.embeddingDict) as Record<string, number[]>
      const sources = json.text_id_to_ref_doc_id ?? json.text_id_to_doc_id ?? json.textIdToRefDocId ?? {}
      const metadata = json.metadata_dict ?? json.metadataDict ?? {}
      expect(records.map(({ id }) => id)).toEqual(Object.keys(embeddings))
      for (const record of records) {
        expect(record.vector).toEqual(new Float32Array(embeddings[record.id] ?? []))
        expect(record.refDocId).toBe(sources[record.id])
        expect(record.metadata).toEqual(metadata[record.id])
      }
    }
  })

  test.each(folders)('%s has nodes that survive our codec', async (folder) => {
    for (const node of (await readReal(folder)).nodes) {
      const restored = nodeFromStored(node.id_, nodeToStored(node))
      expect(restored).toEqual(node)
      expect(restored.hash).toBe(node.hash)
    }
  })

  /** Of the nodes with a stored hash: those we hash alike by Python's formula of today, and by any known formula. */
  test.each([
    ['empty-tachikoma-vector', 0, 0, 0],
    ['kg-conjure-graphstore-only', 0, 0, 0],
    ['kg-tachikoma-missing-index', 99, 99, 99],
    ['kg-wey-gu-chatbot', 15, 15, 15],
    ['llmpy-2023-11', 8, 8, 8],
    ['pre06-llmpy-single', 0, 0, 0],
    ['privategpt-qdrant-tiny', 2, 2, 2],
    ['ts-azure-samples', 45, 0, 45],
    ['ts-chat-basiclaw-2024-08', 120, 0, 120],
    ['ts-chat-uslaw-2023-11', 130, 0, 130],
    ['vec-quintion', 39, 39, 39],
    ['vec-wey-gu-chatbot', 15, 15, 15],
  ])('%s: of %i stored hashes Python now makes %i, all formulas %i', async (folder, stored, now, any) => {
    const { nodes, documentMetadata } = await readReal(folder)
    const hashed = [...nodes].flatMap((node) => {
      const hash = documentMetadata.get(node.id_)?.hash
      const { carriedHash: _, ...own } = nodeToStored(node)
      return hash === undefined ? [] : [{ hash, node: nodeFromStored(node.id_, own), imported: node }]
    })
    expect(hashed).toHaveLength(stored)
    expect(hashed.filter(({ hash, node }) => node.hash === hash)).toHaveLength(now)
    expect(hashed.filter(({ hash, node }) => matchesHash(node, hash))).toHaveLength(any)
    expect(hashed.filter(({ hash, imported }) => imported.hash === hash)).toHaveLength(stored)
  })

  test('the warnings are these', async () => {
    const warnings = async (folder: string) =>
      (await readReal(folder)).warnings.map(
        ({ file, message }) => `${file}: ${message.replace(/\(.*\)/, '(…)')}`,
      )
    expect(await warnings('vec-wey-gu-chatbot')).toEqual([])
    expect(await warnings('ts-chat-basiclaw-2024-08')).toEqual([])
    expect(await warnings('kg-tachikoma-missing-index')).toEqual([
      'index_store.json: It is missing: there is no index to load.',
    ])
    expect(await warnings('llmpy-2023-11')).toEqual([
      'index_store.json: No index names 8 nodes (…) although their vectors are there.',
    ])
    expect(await warnings('ts-azure-samples')).toEqual([
      'index_store.json: 28 nodes stand only in its indices; they were added to the document store.',
      'index_store.json: Index de6e1bdb-24cc-4863-ba78-d407390580d7 names 28 vectors that no file holds.',
    ])
    expect(await warnings('pre06-llmpy-single')).toEqual([
      '07_custom_opt.json: It is an index that LlamaIndex 0.5 or older saved in one file, a form that is not read.',
      'chroma_index1.json: It looks like a docstore.json under another name, and was not read. Rename it to be read.',
      'index.json: It is an index that LlamaIndex 0.5 or older saved in one file, a form that is not read.',
      'newspieces.json: It is an index that LlamaIndex 0.5 or older saved in one file, a form that is not read.',
      'docstore.json: It is missing: there are no nodes.',
    ])
  })
})

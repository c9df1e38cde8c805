/** A directory as LlamaIndex for Python would have left it, holding what commit 1 by the importer holds. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  importer,
  indexId,
  latestId,
  latestNode,
  nodesOf,
  relation,
  subjectOf,
  type Author,
  type Shape,
} from './contents.ts'

const author: Author = { number: 1, actor: importer }

/** Until the import is a commit, its content stands there nevertheless. */
export function orImported(authors: Author[], fromJson: boolean): Author[] {
  return authors.length === 0 && fromJson ? [author] : authors
}

/** Answers a function that tells whether the files are as they were. */
export async function writeJsonDirectory(directory: string, shape: Shape): Promise<() => Promise<boolean>> {
  const nodes = [...nodesOf(author, shape), latestNode(author, shape)]
  const byId = <T>(value: (node: (typeof nodes)[number]) => T): Record<string, T> =>
    Object.fromEntries(nodes.map((node) => [node.id_, value(node)]))
  const struct = {
    index_id: indexId,
    summary: `${author.number} ${author.actor}`,
    nodes_dict: byId(({ id_ }) => id_),
  }
  const latest = { label: 'entity', name: latestId, properties: { ...author } }
  const files = {
    'docstore.json': {
      'docstore/data': byId(({ id_, text, metadata }) => ({
        __type__: '1',
        __data__: { id_, text, metadata, class_name: 'TextNode' },
      })),
      'docstore/metadata': byId(({ id_ }) => ({ doc_hash: id_ })),
    },
    'index_store.json': {
      'index_store/data': {
        [indexId]: { __type__: 'vector_store', __data__: JSON.stringify(struct) },
      },
    },
    'default__vector_store.json': {
      embedding_dict: byId((node) => [...node.getEmbedding()]),
      text_id_to_ref_doc_id: byId(() => 'None'),
      metadata_dict: byId(({ metadata }) => metadata),
    },
    'graph_store.json': { graph_dict: { [subjectOf(1)]: [[relation, importer]] } },
    'property_graph_store.json': { nodes: { [latestId]: latest }, relations: {}, triplets: [] },
  }
  await mkdir(directory, { recursive: true })
  for (const [name, content] of Object.entries(files))
    await writeFile(join(directory, name), JSON.stringify(content))
  const names = Object.keys(files)
  const hash = await hashOf(directory, names)
  return async () => (await hashOf(directory, names)) === hash
}

async function hashOf(directory: string, names: string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const name of names) hash.update(await readFile(join(directory, name)))
  return hash.digest('hex')
}

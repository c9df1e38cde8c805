/**
 * What happens in a property graph store. Rows are lists.
 *
 * | event              | row                                              |
 * |--------------------|--------------------------------------------------|
 * | `GraphNodesSet`    | id, the node's fields                            |
 * | `GraphNodesDeleted`| id                                               |
 * | `RelationsSet`     | key, the relation's fields                       |
 * | `RelationsDeleted` | key                                              |
 * | `TripletsAdded`    | source id, label, target id                      |
 * | `TripletsDeleted`  | source id, label, target id                      |
 *
 * Nodes and relations are kept with every field they came with, in LlamaIndex's spelling: `label`, `properties`, `embedding`, `name` or `text` and `id_`; `source_id`,
 * `target_id`. Texts are escaped as `storable.ts` says, fields are as `stored-metadata.ts` says. The events of triplets are made in `graph-events.ts`.
 */
import type { EventInput } from '../journal/event.ts'
import { text, tuple } from '../journal/shape.ts'
import { escapeText } from './storable.ts'
import { storedMetadata, treeToStored, type SpelledTree } from './stored-metadata.ts'

const tripletRow = tuple(text, text, text)

export const propertyGraphRows = {
  GraphNodesSet: tuple(text, storedMetadata),
  GraphNodesDeleted: tuple(text),
  RelationsSet: tuple(text, storedMetadata),
  RelationsDeleted: tuple(text),
  TripletsAdded: tripletRow,
  TripletsDeleted: tripletRow,
}

export function graphNodesSet(nodes: Iterable<readonly [id: string, fields: SpelledTree]>): EventInput {
  return fieldsSet('GraphNodesSet', nodes)
}

export function relationsSet(relations: Iterable<readonly [key: string, fields: SpelledTree]>): EventInput {
  return fieldsSet('RelationsSet', relations)
}

export function graphNodesDeleted(ids: Iterable<string>): EventInput {
  return keysDeleted('GraphNodesDeleted', ids)
}

export function relationsDeleted(keys: Iterable<string>): EventInput {
  return keysDeleted('RelationsDeleted', keys)
}

function keysDeleted(type: string, keys: Iterable<string>): EventInput {
  return { type, items: Array.from(keys, (key) => ({ row: [escapeText(key)] })) }
}

function fieldsSet(type: string, entries: Iterable<readonly [key: string, fields: SpelledTree]>): EventInput {
  const items = Array.from(entries, ([key, { value, spelling }]) => ({
    row: [escapeText(key), treeToStored(value, spelling)],
  }))
  return { type, items }
}

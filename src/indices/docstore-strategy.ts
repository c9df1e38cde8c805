/** LlamaIndex's strategies of an ingestion: which documents are worth the work, and which are to go, by what an index holds already. */
import { VarveError } from '../errors.ts'
import type { DocumentStore } from '../stores/contract.ts'
import { matchesAnyHash } from '../stores/matches-hash.ts'
import type { BaseNode } from '../stores/node.ts'
import type { LongWork } from './long-work.ts'

/**
 * | strategy             | takes in                                                   | deletes                          |
 * |----------------------|------------------------------------------------------------|----------------------------------|
 * | `upserts`            | documents that are new or have changed, by their ids       |                                  |
 * | `upserts_and_delete` | the same                                                   | the index's documents not given  |
 * | `duplicates_only`    | documents whose content the index has under no id          |                                  |
 *
 * Whatever the strategy, a document that is taken in replaces what the index has under its id.
 */
export type DocstoreStrategy = 'upserts' | 'upserts_and_delete' | 'duplicates_only'

export interface IngestOptions extends LongWork {
  /** Default `upserts`. */
  docstoreStrategy?: DocstoreStrategy
}

/** Ids of documents. */
export interface IngestReport {
  /** New in the index, or replaced. */
  changed: string[]
  deleted: string[]
  /** Given, and left as they are. */
  skipped: string[]
}

const strategies: readonly string[] = ['upserts', 'upserts_and_delete', 'duplicates_only']

export function checkStrategy(strategy: DocstoreStrategy): DocstoreStrategy {
  if (strategies.includes(strategy)) return strategy
  throw new VarveError('VARVE_BAD_OPTION', `There is no docstoreStrategy '${String(strategy)}'.`, {
    remedy: `Give ${strategies.join(', ')}.`,
  })
}

/** Documents of which the docstore has the hash and nothing else: those whose nodes a vector store keeps. */
export async function hashedOnly(docstore: DocumentStore): Promise<string[]> {
  const ids = [...(await docstore.getAllDocumentHashes()).values()]
  const kept = await Promise.all(
    ids.map(async (id) => (await docstore.refDocExists(id)) || (await docstore.documentExists(id))),
  )
  return ids.filter((_, at) => !kept[at])
}

/** The documents whose content stands under none of the ids, each content once. */
export async function withoutDuplicates(
  docstore: DocumentStore,
  documents: readonly BaseNode[],
  knownIds: readonly string[],
): Promise<BaseNode[]> {
  const hashes = await Promise.all(knownIds.map((id) => docstore.getDocumentHash(id)))
  const known = new Set(hashes.filter((hash) => hash !== undefined))
  return documents.filter((document) => {
    if (matchesAnyHash(document, known)) return false
    known.add(document.hash)
    return true
  })
}

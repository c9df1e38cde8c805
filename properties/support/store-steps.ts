/** Random changes to stores of all kinds, on few keys, so that they meet. */
import fc from 'fast-check'
import type { StorageContext } from '../../src/context/storage-context.ts'
import { TextNode } from '../../src/stores/node.ts'

export type StoreStep = (storage: StorageContext) => Promise<unknown>

const id = fc.constantFrom('a', 'b', 'c', 'd')
const text = fc.constantFrom('x', 'y', '')
const metadata = fc.dictionary(fc.constantFrom('p', 'q'), fc.nat(3), { maxKeys: 2 })

export const storeStep: fc.Arbitrary<StoreStep> = fc.oneof(
  fc.record({ id, doc: fc.option(id), text, metadata }).map(
    ({ id: id_, doc, ...init }): StoreStep =>
      ({ docstore }) =>
        docstore.addDocuments([
          new TextNode({
            id_,
            ...init,
            ...(doc !== null && { relationships: { SOURCE: { nodeId: doc, metadata: {} } } }),
          }),
        ]),
  ),
  id.map(
    (each): StoreStep =>
      ({ docstore }) =>
        docstore.deleteDocument(each, { raiseError: false }),
  ),
  id.map(
    (each): StoreStep =>
      ({ docstore }) =>
        docstore.deleteRefDoc(each, { raiseError: false }),
  ),
  fc.tuple(id, text).map(
    ([each, hash]): StoreStep =>
      ({ docstore }) =>
        docstore.setDocumentHash(each, hash),
  ),
  fc.tuple(id, id, fc.nat(3)).map(
    ([id_, nodeId, number]): StoreStep =>
      ({ vectorStore }) =>
        vectorStore.add([
          new TextNode({ id_, embedding: [number, 1], relationships: { SOURCE: { nodeId, metadata: {} } } }),
        ]),
  ),
  id.map(
    (each): StoreStep =>
      ({ vectorStore }) =>
        vectorStore.delete(each),
  ),
  fc.tuple(id, fc.uniqueArray(id), text).map(
    ([indexId, nodes, summary]): StoreStep =>
      ({ indexStore }) =>
        indexStore.addIndexStruct({ indexId, type: 'list', summary, nodes }),
  ),
  fc.tuple(id, id, fc.uniqueArray(id), text).map(
    ([indexId, key, members, value]): StoreStep =>
      ({ indexStore }) =>
        indexStore.addIndexStruct({
          indexId,
          type: 'kg',
          table: new Map([[key, new Set(members)]]),
          relMap: new Map(members.map((member) => [member, [[key, value]]])),
        }),
  ),
  id.map(
    (each): StoreStep =>
      ({ indexStore }) =>
        indexStore.deleteIndexStruct(each),
  ),
  fc.tuple(id, id, id).map(
    (triplet): StoreStep =>
      ({ graphStore }) =>
        graphStore.upsertTriplet(...triplet),
  ),
  fc.tuple(id, id, id).map(
    (triplet): StoreStep =>
      ({ graphStore }) =>
        graphStore.delete(...triplet),
  ),
  fc.tuple(id, text, fc.integer({ min: -2, max: 2 })).map(
    ([key, content, idx]): StoreStep =>
      ({ chatStore }) =>
        chatStore.addMessage(key, { role: 'user', content }, idx),
  ),
  fc.tuple(id, fc.array(text, { maxLength: 4 })).map(
    ([key, contents]): StoreStep =>
      ({ chatStore }) =>
        chatStore.setMessages(
          key,
          contents.map((content) => ({ role: 'user', content })),
        ),
  ),
  id.map(
    (key): StoreStep =>
      ({ chatStore }) =>
        chatStore.deleteMessages(key),
  ),
)

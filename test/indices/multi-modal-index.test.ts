import { beforeEach, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import type { ImageEmbedModel } from '../../src/indices/image-embed-model.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import { MultiModalVectorStoreIndex } from '../../src/indices/multi-modal-index.ts'
import type { Query, RetrieverOptions } from '../../src/indices/retriever.ts'
import { VectorStoreIndex } from '../../src/indices/vector-store-index.ts'
import { ImageDocument, ImageNode } from '../../src/stores/node.ts'
import { bagOfWords } from './support/bag-of-words.ts'
import { document, node, oneSentenceANode } from './support/documents.ts'
import { MemoryStorage } from './support/memory-storage.ts'

/** An image is what its path says, without the ending. */
function eyes({ id = 'eyes', dimensions = 16 } = {}): ImageEmbedModel {
  const words = bagOfWords({ id, dimensions })
  const nameOf = ({ imagePath = '' }: ImageNode) => imagePath.split('.')[0]!
  return { ...words, embedImages: async (images) => await words.embed(images.map(nameOf), { kind: 'text' }) }
}

const image = (id_: string, imagePath: string, text = '') => new ImageNode({ id_, imagePath, text })
const models = { embedModel: bagOfWords(), imageEmbedModel: eyes() }
let storageContext: StorageContext
let index: MultiModalVectorStoreIndex
beforeEach(async () => {
  storageContext = await StorageContext.fromDefaults()
  const nodes = [node('t', 'Cats sleep.', 'd'), image('i', 'cat.png'), image('b', 'dog.png', 'A dog barks.')]
  index = await MultiModalVectorStoreIndex.init({ storageContext, indexId: 'M', ...models, nodes })
})
const found = async (query: string | Query, options: RetrieverOptions = {}, asked = index) =>
  (await asked.asRetriever({ similarityTopK: 1, ...options }).retrieve(query)).map((hit) => hit.node.id_)
const vectors = async (namespace: string) => {
  const store = storageContext.vectorStores.get(namespace)!
  const queryEmbedding = new Float32Array(namespace === 'image' ? 16 : 64).fill(1)
  return (await store.query({ queryEmbedding, similarityTopK: 99 })).ids.sort()
}

test('texts go to the namespace default, images to image, images with a text to both', async () => {
  expect(await vectors('default')).toEqual(['b', 't'])
  expect(await vectors('image')).toEqual(['b', 'i'])
  expect(await storageContext.indexStore.getIndexStruct('M')).toMatchObject({
    type: 'multimodal',
    embedModelId: 'bag-of-words',
    imageEmbedModelId: 'eyes',
    imageEmbedDimensions: 16,
  })
  expect((await storageContext.docstore.getNode('i')) as ImageNode).toMatchObject({ imagePath: 'cat.png' })
})

test('a question finds texts and then images, each once', async () => {
  expect(await found('cat')).toEqual(['t', 'i'])
  expect(await found('cats sleep')).toEqual(['t', expect.any(String)])
  expect(await found('dog barks')).toEqual(['b'])
  expect(await found('cats', { similarityTopK: 2, imageSimilarityTopK: 1 })).toHaveLength(3)
  expect(await found('cat', { nodeIds: ['i'] })).toEqual(['i'])
})

test('vectors of one kind are asked without a model, and without the other kind', async () => {
  const loaded = (await loadIndexFromStorage(storageContext)) as MultiModalVectorStoreIndex
  expect(loaded).toBeInstanceOf(MultiModalVectorStoreIndex)
  const [imageEmbedding] = await eyes().embed(['cat'], { kind: 'query' })
  const [embedding] = await bagOfWords().embed(['dog'], { kind: 'query' })
  expect(await found({ imageEmbedding: imageEmbedding! }, {}, loaded)).toEqual(['i'])
  expect(await found({ embedding: embedding! }, {}, loaded)).toEqual(['b'])
  await expect(found('cat', {}, loaded)).rejects.toMatchObject({ code: 'VARVE_NO_EMBED_MODEL' })
})

test('what is deleted goes from both namespaces, unless another index has it', async () => {
  const other = await VectorStoreIndex.init({ storageContext, indexId: 'V', embedModel: models.embedModel })
  await other.insertNodes([node('t', 'Cats sleep.', 'd')])
  await index.deleteNodes(['b', 't'])
  expect([await vectors('default'), await vectors('image')]).toEqual([['t'], ['i']])
  expect(await storageContext.docstore.documentExists('b')).toBe(false)
  expect(await found('cat')).toEqual(['i'])
  await other.deleteRefDoc('d')
  expect(await vectors('default')).toEqual([])
})

test('an image among documents becomes a node of its own, and is refreshed like any', async () => {
  const picture = (imagePath: string) => new ImageDocument({ id_: 'p', imagePath, metadata: { by: 'me' } })
  const options = {
    storageContext,
    indexId: 'D',
    ...models,
    nodeParser: oneSentenceANode(),
    newId: () => 'one',
  }
  const made = await MultiModalVectorStoreIndex.fromDocuments(
    [picture('bird.png'), document('x', 'A fish swims.')],
    options,
  )
  expect(await storageContext.docstore.getNode('one')).toMatchObject({
    imagePath: 'bird.png',
    refDocId: 'p',
    metadata: { by: 'me' },
  })
  expect(await found('fish', {}, made)).toEqual(['n1', 'one'])
  expect(await made.refreshRefDocs([picture('bird.png')])).toEqual([false])
  expect(await made.refreshRefDocs([picture('fish.png')])).toEqual([true])
  expect(await storageContext.docstore.getNode('one')).toMatchObject({ imagePath: 'fish.png' })
  await made.deleteRefDoc('p')
  expect(await vectors('image')).toEqual(['b', 'i'])
})

test('prepared images need no model, and keep image and text vectors apart', async () => {
  const bare = await MultiModalVectorStoreIndex.init({ storageContext, indexId: 'P' })
  const prepared = image('v', 'x.png', 'words')
  prepared.embedding = new Float32Array(16).fill(1)
  prepared.textEmbedding = new Float32Array(64).fill(1)
  await bare.insertNodes([prepared])
  expect(await found({ imageEmbedding: prepared.embedding }, {}, bare)).toEqual(['v'])
  expect(await found({ embedding: prepared.textEmbedding }, {}, bare)).toEqual(['v'])
  await expect(bare.insertNodes([image('w', 'y.png')])).rejects.toMatchObject({
    code: 'VARVE_NO_EMBED_MODEL',
    message: expect.stringContaining('imageEmbedModel'),
  })
})

test('another model for images is refused on load unless accepted', async () => {
  const imageEmbedModel = eyes({ id: 'others' })
  await expect(loadIndexFromStorage(storageContext, { imageEmbedModel })).rejects.toMatchObject({
    code: 'VARVE_OTHER_EMBED_MODEL',
  })
  await loadIndexFromStorage(storageContext, { imageEmbedModel, acceptEmbedModel: true })
  expect(await storageContext.indexStore.getIndexStruct('M')).toMatchObject({
    embedModelId: 'bag-of-words',
    imageEmbedModelId: 'others',
  })
})

test('a model that gives the wrong number of vectors, or a storage without room for images, changes nothing', async () => {
  const imageEmbedModel = { ...eyes(), embedImages: async () => [] }
  const bad = await MultiModalVectorStoreIndex.init({ storageContext, indexId: 'B', imageEmbedModel })
  await expect(bad.insertNodes([image('z', 'z.png')])).rejects.toMatchObject({ code: 'VARVE_BAD_VECTOR' })
  expect(await storageContext.docstore.documentExists('z')).toBe(false)
  const small = await MultiModalVectorStoreIndex.init({ storageContext: new MemoryStorage(), ...models })
  await expect(small.insertNodes([image('z', 'z.png')])).rejects.toMatchObject({
    code: 'VARVE_NAMESPACE_NOT_FOUND',
  })
  await small.insertNodes([node('only', 'Text.')])
  expect(await found('text', {}, small)).toEqual(['only'])
})

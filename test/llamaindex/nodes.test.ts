import { createRequire } from 'node:module'
import type * as schema from '@llamaindex/core/schema'
import {
  Document,
  ImageDocument,
  ImageNode,
  IndexNode,
  jsonToNode,
  TextNode,
  type BaseNode,
} from '@llamaindex/core/schema'
import { expect, test } from 'vitest'
import { TextNode as OwnTextNode, Node } from '../../src/stores/node.ts'
import { fromCore, toCore } from '../../src/llamaindex/core-nodes.ts'
import { nodeFromStored, nodeToStored } from '../../src/stores/node-codec.ts'
import { open, reopen } from './support.ts'

const commonJs = createRequire(import.meta.url)('@llamaindex/core/schema') as typeof schema

const common = {
  metadata: { author: 'Ann', tags: ['a', 'b'], deep: { n: 1.5, none: null } },
  excludedEmbedMetadataKeys: ['author'],
  excludedLlmMetadataKeys: ['tags'],
  relationships: {
    SOURCE: { nodeId: 'source', metadata: { page: 1 }, hash: 'h', nodeType: 'DOCUMENT' },
    PREVIOUS: { nodeId: 'before', metadata: {} },
    CHILD: [{ nodeId: 'child', metadata: {} }],
  } as never,
  text: 'Saturn has rings.\n\nAnd moons.',
  textTemplate: '{content}',
  metadataSeparator: ' | ',
  startCharIdx: 3,
  endCharIdx: 17,
  embedding: [0.1, 1 / 3, -2],
}
const png = 'iVBORw0KGgo='

test.each<[string, BaseNode]>([
  ['a text node', new TextNode({ id_: 'n', ...common })],
  ['an empty text node', new TextNode({ id_: 'n' })],
  ['an index node', new IndexNode({ id_: 'n', ...common, indexId: 'planets' })],
  ['a document', new Document({ id_: 'n', ...common })],
  ['an empty document', new Document({ id_: 'n' })],
  ['an image node with a path', new ImageNode({ id_: 'n', ...common, image: './saturn.png' })],
  ['an image node with a URL', new ImageNode({ id_: 'n', image: new URL('https://example.org/a.png') })],
  ['an image document with base64', new ImageDocument({ id_: 'n', ...common, image: png })],
  ['an image document with a path', new ImageDocument({ id_: 'n', ...common, image: './saturn.png' })],
])('%s comes back from the directory in a new process as it was', async (_, node) => {
  const { context, disk } = await open()
  const before = { ...node.toJSON(), hash: node.hash }
  await context.docStore.addDocuments([node], true)
  await context.persist()
  const [back] = await (await reopen(disk)).docStore.getNodes(['n'])
  expect(back!.constructor).toBe(node.constructor)
  expect({ ...back!.toJSON() }).toEqual(before)
  expect(back!.generateHash()).toBe(node.generateHash())
})

test('an image that is a Blob comes back as one, bytes and type', async () => {
  const { context, disk } = await open()
  const image = new Blob([Buffer.from(png, 'base64')], { type: 'image/png' })
  await context.docStore.addDocuments([new ImageNode({ id_: 'n', image })], true)
  await context.persist()
  const back = (await (await reopen(disk)).docStore.getNode('n')) as ImageNode
  expect(back.image).toBeInstanceOf(Blob)
  expect((back.image as Blob).type).toBe('image/png')
  expect(Buffer.from(await (back.image as Blob).arrayBuffer()).toString('base64')).toBe(png)
})

test('fields that no class has, a place of 0 and a hash given by hand are kept', async () => {
  const node = new TextNode({ id_: 'n', text: 'a' })
  Object.assign(node, { startCharIdx: 0, rating: 5 })
  node.hash = 'given'
  const back = toCore(await fromCore(node), { jsonToNode })
  expect(back.toJSON()).toMatchObject({ startCharIdx: 0, rating: 5, hash: 'given' })
})

test('nodes are of the classes of the copy that asked, though ESM and CJS have different ones', async () => {
  expect(commonJs.TextNode).not.toBe(TextNode)
  const stored = nodeToStored(await fromCore(new commonJs.TextNode({ id_: 'n', text: 'a' })))
  const own = nodeFromStored('n', stored)
  expect(toCore(own, { jsonToNode })).toBeInstanceOf(TextNode)
  expect(toCore(own, { jsonToNode: commonJs.jsonToNode })).toBeInstanceOf(commonJs.TextNode)
})

test("nodes that LlamaIndexTS has no class for are text, and Python's fields do not get lost", async () => {
  const media = new Node({ id_: 'm', text: 'said', metadata: { a: 1 } })
  expect(toCore(media, { jsonToNode }).toJSON()).toMatchObject({
    type: 'TEXT',
    text: 'said',
    metadata: { a: 1 },
  })
  const own = new OwnTextNode({ id_: 'n', text: 'a', extra: { unknown: [1] } })
  expect(toCore(own, { jsonToNode }).toJSON()).toMatchObject({ text: 'a', unknown: [1] })
})

test('what a node holds is taken when it is added: changing the node later changes nothing', async () => {
  const { context } = await open()
  const node = new TextNode({ id_: 'n', text: 'before', metadata: { list: [1] } })
  const added = context.docStore.addDocuments([node], true)
  node.text = 'after'
  node.metadata['list'].push(2)
  await added
  const back = await context.docStore.getNode('n')
  expect(back.toJSON()).toMatchObject({ text: 'before', metadata: { list: [1] } })
})

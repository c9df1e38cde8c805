import { describe, expect, test } from 'vitest'
import { nodeFromStored, nodeToStored, type StoredNode } from '../../src/stores/node-codec.ts'
import { Document, ImageDocument, IndexNode, TextNode, type BaseNode } from '../../src/stores/node.ts'
import { escapeText, unescapeText } from '../../src/stores/storable.ts'

describe('a stored node', () => {
  test('leaves out its id and what its class has by default', () => {
    expect(nodeToStored(new TextNode({ text: 'hi' }))).toEqual({ text: 'hi' })
    expect(nodeToStored(new Document({ text: 'hi' }))).toEqual({
      class: 'Document',
      textResource: { text: 'hi' },
    })
    expect(nodeToStored(new TextNode({ embedding: undefined, metadata: {}, relationships: {} }))).toEqual({})
  })

  test('has this form, which is public', () => {
    const node = new IndexNode({
      text: 'hi',
      metadata: { a: 1 },
      indexId: 'i',
      embedding: new Float32Array([1]),
      textEmbedding: [1],
      excludedLlmMetadataKeys: ['a'],
      relationships: { SOURCE: { nodeId: 's', nodeType: 'DOCUMENT', metadata: {}, hash: 'h' } },
      startCharIdx: 0,
      extra: { newer: [1] },
      obj: new TextNode({ id_: 'inner', text: 'in' }),
      className: 'Mine',
      spelling: { floats: new Set(['/metadata/a']), keyOrders: new Map([['/metadata', ['a', '1']]]) },
      carriedHash: { hash: 'theirs', of: 'ours' },
    } as ConstructorParameters<typeof IndexNode>[0])
    expect(nodeToStored(node)).toEqual({
      class: 'IndexNode',
      className: 'Mine',
      text: 'hi',
      metadata: { a: 1 },
      indexId: 'i',
      embedding32: new Uint8Array([0, 0, 128, 63]),
      excludedLlmMetadataKeys: ['a'],
      relationships: { SOURCE: { nodeId: 's', nodeType: 'DOCUMENT', hash: 'h' } },
      startCharIdx: 0,
      extra: { newer: [1] },
      obj: { id: 'inner', node: { text: 'in' } },
      floats: ['/metadata/a'],
      keyOrders: [['/metadata', 'a', '1']],
      carriedHash: ['theirs', 'ours'],
    })
  })

  test('keeps the bytes of media, which LlamaIndex loses', () => {
    const data = new Uint8Array([0, 255, 128])
    const restored = through(new ImageDocument({ image: data, imagePath: 'a.png' })) as ImageDocument
    expect(restored).toBeInstanceOf(ImageDocument)
    expect(restored.imageResource).toEqual({ data, path: 'a.png' })
  })

  test('is a copy: what changes later in the node is not in it', () => {
    const node = new TextNode({ metadata: { list: [1] } })
    const stored = nodeToStored(node)
    ;(node.metadata.list as number[]).push(2)
    expect(stored).toEqual({ metadata: { list: [1] } })
  })

  test('of an unknown class reads as text and keeps the name', () => {
    const restored = nodeFromStored('n', { class: 'HologramNode', text: 'x' })
    expect(restored).toBeInstanceOf(TextNode)
    expect(restored.className).toBe('HologramNode')
  })

  test.each<[string, StoredNode]>([
    ['a resource that is a number', { class: 'Node', textResource: 5, floats: 7 }],
    ['relations of null', { relationships: { SOURCE: null } }],
    ['a list of floats that is none', { floats: [[1]] }],
  ])('that no version wrote is corrupt: %s', (_, stored) => {
    expect(() => nodeFromStored('n', stored)).toThrow(expect.objectContaining({ code: 'VARVE_CORRUPT' }))
  })
})

describe('what callers without types may do', () => {
  test.each<[string, () => BaseNode, string]>([
    [
      'text',
      () => new TextNode({ id_: 'n', text: 5 as unknown as string }),
      'node n: text must be a string.',
    ],
    [
      'index',
      () => new TextNode({ id_: 'n', startCharIdx: '5' as unknown as number }),
      'node n: startCharIdx must be a number.',
    ],
    [
      'keys',
      () => new TextNode({ id_: 'n', excludedLlmMetadataKeys: [5] as unknown as string[] }),
      'node n: excludedLlmMetadataKeys must be a list of strings.',
    ],
    [
      'embedding',
      () => new TextNode({ id_: 'n', embedding: ['1'] as unknown as number[] }),
      'An embedding holds numbers',
    ],
  ])('%s of a wrong type is a TypeError', (_, make, message) => {
    expect(() => nodeToStored(make())).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(message) as string }),
    )
  })

  test('a node inside itself is refused', () => {
    const node = new IndexNode({ id_: 'n' })
    node.obj = node
    expect(() => nodeToStored(node)).toThrow(expect.objectContaining({ code: 'VARVE_BAD_METADATA' }))
  })

  test('metadata that cannot be kept names node and field', () => {
    const node = new TextNode({ id_: 'n', metadata: { f: () => 1 } })
    expect(() => nodeToStored(node)).toThrow(/node n: metadata\.f is a function/)
  })
})

test('metadata as deep as it may be is stored, hashed and read back', () => {
  let deep: unknown = 1
  for (let level = 0; level < 499; level++) deep = { list: [deep] }
  const node = new TextNode({ metadata: { deep } })
  const restored = through(node)
  expect(restored.hash).toBe(node.hash)
  expect(JSON.stringify(restored.metadata)).toBe(JSON.stringify(node.metadata))
})

test.each([
  ['plain', 'plain'],
  ['😀', '😀'],
  ['\ud800', '\uf8ffd800'],
  ['a\udfffb', 'a\uf8ffdfffb'],
  ['\uf8ff', '\uf8fff8ff'],
  ['\uf8ffd800', '\uf8fff8ffd800'],
])('the text %j is escaped as %j and comes back', (text, escaped) => {
  expect(escapeText(text)).toBe(escaped)
  expect(unescapeText(escaped)).toBe(text)
})

function through(node: BaseNode): BaseNode {
  return nodeFromStored(node.id_, nodeToStored(node))
}

import { describe, expect, test } from 'vitest'
import { nodeFromStored, nodeToStored } from '../../src/stores/node-codec.ts'
import { Document, ImageDocument, ImageNode, IndexNode, Node, TextNode } from '../../src/stores/node.ts'
import { docstore, entry, readFiles } from './made-directory.ts'

async function readNode(type: string, data: unknown) {
  const { nodes } = await readFiles({ 'docstore.json': docstore({ n: entry(type, data) }) })
  expect(nodes).toHaveLength(1)
  return [...nodes][0]
}

describe('nodes of every age', () => {
  test('2026: all fields of a text node', async () => {
    const node = await readNode('1', {
      id_: 'n',
      embedding: [0.5, 1.0],
      metadata: { a: 'x' },
      excluded_embed_metadata_keys: ['a'],
      excluded_llm_metadata_keys: ['b'],
      relationships: {
        '1': { node_id: 'd', node_type: '4', metadata: { a: 1 }, hash: 'h', class_name: 'RelatedNodeInfo' },
        '2': { node_id: 'p', node_type: null, metadata: {}, hash: null, class_name: 'RelatedNodeInfo' },
        '5': [{ node_id: 'c', node_type: '1', metadata: {}, hash: null, later: 1 }],
        '9': { node_id: 'z' },
      },
      metadata_template: '{key}={value}',
      metadata_separator: '; ',
      text: 'Hello',
      mimetype: 'text/markdown',
      start_char_idx: 0,
      end_char_idx: 5,
      text_template: '{content}',
      class_name: 'TextNode',
      embeddings: null,
      from_the_future: { x: [1] },
    })
    expect(node).toEqual(
      new TextNode({
        id_: 'n',
        embedding: [0.5, 1],
        metadata: { a: 'x' },
        excludedEmbedMetadataKeys: ['a'],
        excludedLlmMetadataKeys: ['b'],
        relationships: {
          SOURCE: { nodeId: 'd', nodeType: 'DOCUMENT', metadata: { a: 1 }, hash: 'h' },
          PREVIOUS: { nodeId: 'p', metadata: {} },
          CHILD: [{ nodeId: 'c', nodeType: 'TEXT', metadata: {}, extra: { later: 1 } }],
          '9': { nodeId: 'z', metadata: {} },
        },
        metadataTemplate: '{key}={value}',
        metadataSeparator: '; ',
        text: 'Hello',
        mimetype: 'text/markdown',
        startCharIdx: 0,
        endCharIdx: 5,
        textTemplate: '{content}',
        extra: { from_the_future: { x: [1] } },
      }),
    )
  })

  test('up to 0.11: metadata_seperator, and no mimetype', async () => {
    expect(await readNode('1', { id_: 'n', text: 't', metadata_seperator: '|' })).toEqual(
      new TextNode({ id_: 'n', text: 't', metadataSeparator: '|' }),
    )
  })

  test('before 0.7: doc_id, extra_info, node_info, relations that are ids; the id is the key it stands under', async () => {
    const node = await readNode('1', {
      text: 't',
      doc_id: 'other',
      embedding: null,
      doc_hash: 'h',
      extra_info: null,
      node_info: { start: 3, end: 9 },
      relationships: { '1': 'd', '2': 'p', '5': ['c1', 'c2'] },
    })
    expect(node).toEqual(
      new TextNode({
        id_: 'n',
        text: 't',
        startCharIdx: 3,
        endCharIdx: 9,
        relationships: {
          SOURCE: { nodeId: 'd', metadata: {} },
          PREVIOUS: { nodeId: 'p', metadata: {} },
          CHILD: [
            { nodeId: 'c1', metadata: {} },
            { nodeId: 'c2', metadata: {} },
          ],
        },
        extra: { doc_id: 'other' },
      }),
    )
    expect(node?.hash).toBe('h')
  })

  test('a document before 0.12 has its text beside, since then in a resource', async () => {
    const old = await readNode('4', {
      id_: 'n',
      text: 't',
      mimetype: 'text/plain',
      start_char_idx: null,
      class_name: 'Document',
    })
    expect(old).toEqual(new Document({ id_: 'n', text: 't', mimetype: 'text/plain' }))
    const text_resource = { embeddings: null, text: 't', path: null, url: null, mimetype: null }
    const now = await readNode('4', {
      id_: 'n',
      text_resource,
      image_resource: null,
      text: 't',
      class_name: 'Document',
    })
    expect(now).toEqual(new Document({ id_: 'n', textResource: { text: 't' } }))
    const contradictory = await readNode('4', { id_: 'n', text_resource, text: 'other' })
    expect(contradictory).toEqual(
      new Document({ id_: 'n', textResource: { text: 't' }, extra: { text: 'other' } }),
    )
  })

  test('image documents, with an image before 0.12 and a resource since then', async () => {
    const old = await readNode('4', {
      id_: 'n',
      text: 't',
      image: 'QUJD',
      image_path: 'a.png',
      class_name: 'ImageDocument',
    })
    expect(old).toBeInstanceOf(ImageDocument)
    expect(old).toEqual(new ImageDocument({ id_: 'n', text: 't', image: 'QUJD', imagePath: 'a.png' }))
    const image_resource = { path: 'a.png', mimetype: 'image/png', new_field: 1 }
    const now = await readNode('4', { id_: 'n', image_resource, class_name: 'ImageDocument' })
    const resource = { path: 'a.png', mimetype: 'image/png', extra: { new_field: 1 } }
    expect(now).toEqual(new ImageDocument({ id_: 'n', imageResource: resource }))
    const odd = await readNode('4', {
      id_: 'n',
      image: 'data:image/png;base64,QUJD',
      class_name: 'ImageDocument',
    })
    expect(odd?.extra).toEqual({ image: 'data:image/png;base64,QUJD' })
  })

  test('image nodes, multimodal nodes and index nodes', async () => {
    expect(
      await readNode('2', { id_: 'n', image: 'QUJD', image_mimetype: 'image/png', text_embedding: [1] }),
    ).toEqual(new ImageNode({ id_: 'n', image: 'QUJD', imageMimetype: 'image/png', textEmbedding: [1] }))
    expect(
      await readNode('5', { id_: 'n', audio_resource: { url: 'http://x/' }, class_name: 'Node' }),
    ).toEqual(new Node({ id_: 'n', audioResource: { url: 'http://x/' } }))
    const inner = entry('1', { id_: 'inner', text: 'in', class_name: 'TextNode' })
    expect(await readNode('3', { id_: 'n', index_id: 'i', obj: inner })).toEqual(
      new IndexNode({ id_: 'n', indexId: 'i', obj: new TextNode({ id_: 'inner', text: 'in' }) }),
    )
    expect(await readNode('3', { id_: 'n', index_id: 'i', obj: '{"a": 1}' })).toEqual(
      new IndexNode({ id_: 'n', indexId: 'i', obj: '{"a": 1}' }),
    )
  })

  test('unknown classes and types keep their names, and fields of impossible values their values', async () => {
    const mine = await readNode('1', {
      id_: 'n',
      text: 't',
      class_name: 'SentenceNode',
      start_char_idx: 'later',
      relationships: [1],
    })
    expect(mine).toBeInstanceOf(TextNode)
    expect(mine?.className).toBe('SentenceNode')
    expect(mine?.extra).toEqual({ start_char_idx: 'later', relationships: [1] })
    expect((await readNode('77', { id_: 'n', text: 't' }))?.extra).toEqual({ __type__: '77' })
  })

  test('data written as JSON in a string', async () => {
    expect(await readNode('1', JSON.stringify({ id_: 'n', text: 't' }))).toEqual(
      new TextNode({ id_: 'n', text: 't' }),
    )
  })

  test('floats, big integers, NaN, key order, halves of pairs and __proto__ are kept, and hashed as Python does', async () => {
    const metadata = String.raw`{"b": 1.0, "10": 12345678901234567890, "2": NaN, "__proto__": {"x": -0.0}, "s": "\ud800"}`
    const text = `{"docstore/data": {"n": {"__data__": {"id_": "n", "text": "t", "metadata": ${metadata}, "class_name": "TextNode"}, "__type__": "1"}}}`
    const [node] = (await readFiles({ 'docstore.json': text })).nodes
    expect(node?.spelling).toEqual({
      floats: new Set(['/metadata/b', '/metadata/__proto__/x']),
      keyOrders: new Map([['/metadata', ['b', '10', '2', '__proto__', 's']]]),
    })
    // hashlib.sha256(("t" + str(metadata)).encode("utf-8", "surrogatepass")) in CPython 3.11
    expect(node?.hash).toBe('244f68f29e3577f9cc026dadd6176ef77092d2455f4c0ab3659ee887c74e5702')
    expect(node && nodeFromStored('n', nodeToStored(node)).hash).toBe(node?.hash)
  })
})

test('metadata nested as deep as a file may nest is read, stored and hashed', async () => {
  const deep = '['.repeat(990) + '1.0' + ']'.repeat(990)
  const node = await readNode('1', `{"id_": "n", "metadata": {"deep": ${deep}}}`)
  expect(node?.spelling.floats).toEqual(new Set([`/metadata/deep${'/0'.repeat(990)}`]))
  expect(node && nodeFromStored('n', nodeToStored(node)).hash).toBe(node?.hash)
})

describe('TypeScript’s nodes', () => {
  const read = async (type: string, data: object | string) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    return [...(await readFiles({ 'doc_store.json': docstore({ n: entry(type, text) }) })).nodes][0]
  }

  test('text, documents and images, as text or objects', async () => {
    const text = {
      id_: 'n',
      text: 't',
      textTemplate: '',
      metadataSeparator: '\n',
      type: 'TEXT',
      hash: 'h',
      endCharIdx: 5,
    }
    expect(await read('TEXT', text)).toEqual(
      new TextNode({ id_: 'n', text: 't', textTemplate: '', endCharIdx: 5 }),
    )
    const document = await read('DOCUMENT', {
      id_: 'n',
      text: 't',
      textTemplate: '',
      type: 'DOCUMENT',
      startCharIdx: 1,
    })
    expect(document).toEqual(new Document({ id_: 'n', text: 't', textTemplate: '', startCharIdx: 1 }))
    expect(await read('IMAGE', { id_: 'n', image: 'http://x/a.png', type: 'IMAGE' })).toEqual(
      new ImageNode({ id_: 'n', image: 'http://x/a.png' }),
    )
    expect(await read('5', { id_: 'n', type: '5', text: 't' })).toBeInstanceOf(ImageDocument)
    expect(await read('INDEX', { id_: 'n', indexId: 'i', type: 'INDEX' })).toEqual(
      new IndexNode({ id_: 'n', indexId: 'i' }),
    )
  })
})

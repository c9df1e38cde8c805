import { describe, expect, test } from 'vitest'
import { checkId } from '../../src/stores/ids.ts'
import { Document, ImageNode, IndexNode, MetadataMode, Node, TextNode } from '../../src/stores/node.ts'
import { takeSpelling } from '../../src/stores/spelling.ts'
import { Float } from '../../src/stores/float.ts'

describe('a node', () => {
  test('has a random id unless it is given one', () => {
    expect(new TextNode().id_).toMatch(/^[0-9a-f-]{36}$/)
    expect(new TextNode().id_).not.toBe(new TextNode().id_)
    expect(new Document({ id_: 'd' }).nodeId).toBe('d')
  })

  test('knows its relations', () => {
    const info = (nodeId: string) => ({ nodeId, metadata: {} })
    const node = new TextNode({
      relationships: {
        SOURCE: info('s'),
        PREVIOUS: info('p'),
        NEXT: info('n'),
        PARENT: info('u'),
        CHILD: [info('c')],
      },
    })
    expect(node.refDocId).toBe('s')
    expect([node.sourceNode, node.prevNode, node.nextNode, node.parentNode]).toEqual(
      ['s', 'p', 'n', 'u'].map(info),
    )
    expect(node.childNodes).toEqual([info('c')])
    expect(new TextNode().refDocId).toBeUndefined()
    expect(new TextNode().childNodes).toBeUndefined()
  })

  test('can be related to', () => {
    const document = new Document({ id_: 'd', text: 'hello', metadata: { a: 1 } })
    expect(document.asRelatedNodeInfo()).toEqual({
      nodeId: 'd',
      nodeType: 'DOCUMENT',
      metadata: { a: 1 },
      hash: document.hash,
    })
  })

  test.each([
    [new TextNode(), 'TEXT', 'TextNode'],
    [new ImageNode(), 'IMAGE', 'ImageNode'],
    [new IndexNode(), 'INDEX', 'IndexNode'],
    [new Document(), 'DOCUMENT', 'Document'],
    [new Node(), 'MULTIMODAL', 'Node'],
    [new TextNode({ className: 'Mine' }), 'TEXT', 'Mine'],
  ])('has a type and a class name: %#', (node, type, className) => {
    expect([node.type, node.className]).toEqual([type, className])
  })

  test('says that it has no embedding', () => {
    expect(() => new TextNode({ id_: 'n' }).getEmbedding()).toThrow(TypeError)
    expect(new TextNode({ embedding: [1] }).getEmbedding()).toEqual([1])
  })

  test('shows only its content when its fields are listed', () => {
    expect(Object.keys(new TextNode())).not.toEqual(expect.arrayContaining(['spelling']))
    expect(
      JSON.parse(JSON.stringify(new TextNode({ id_: 'n', text: 't', className: 'Mine' }))),
    ).toMatchObject({
      id_: 'n',
      text: 't',
      metadata: {},
    })
  })
})

describe('content', () => {
  const metadata = { file: 'a.md', secret: true, score: 1 }
  const node = new TextNode({
    text: 'hello',
    metadata,
    excludedEmbedMetadataKeys: ['secret'],
    excludedLlmMetadataKeys: ['file', 'score'],
  })

  test.each([
    [MetadataMode.NONE, 'hello'],
    [MetadataMode.ALL, 'file: a.md\nsecret: True\nscore: 1\n\nhello'],
    [MetadataMode.EMBED, 'file: a.md\nscore: 1\n\nhello'],
    [MetadataMode.LLM, 'secret: True\n\nhello'],
  ])('in mode %s is as Python shows it', (mode, expected) => {
    expect(node.getContent(mode)).toBe(expected)
  })

  test('without a mode is the text alone, of text and of media nodes', () => {
    expect(node.getContent()).toBe('hello')
    expect(new Document({ text: 'hi', metadata }).getContent()).toBe('hi')
    expect(new Document({ text: 'hi', metadata }).getText()).toBe('hi')
  })

  test('follows the templates, and takes empty ones for the default', () => {
    const own = new TextNode({
      text: 'T {metadata_str}',
      metadata: { a: '{content}' },
      metadataTemplate: '<{key}={value}> {{}} {other}',
      textTemplate: '[{content}|{metadata_str}]',
    })
    expect(own.getContent('ALL')).toBe('[T {metadata_str}|<a={content}> {} {other}]')
    expect(new TextNode({ text: 't', metadata: { a: 1 }, textTemplate: '' }).getContent('ALL')).toBe(
      'a: 1\n\nt',
    )
  })

  test('shows floats as Python spelled them', () => {
    const { value, spelling } = takeSpelling({ score: new Float(1) }, '/metadata')
    expect(new TextNode({ metadata: value as Record<string, unknown>, spelling }).getMetadataStr()).toBe(
      'score: 1.0',
    )
  })

  test('of a document is set in its text resource', () => {
    const document = new Document({ textResource: { text: 'old', mimetype: 'text/markdown' } })
    document.setContent('new')
    expect(document.textResource).toEqual({ text: 'new', mimetype: 'text/markdown' })
    expect(new Document({ text: '' }).textResource).toBeUndefined()
  })
})

describe('an id', () => {
  test.each(['a', '__proto__', '../../x', ' ', '漢', 'x'.repeat(8192), '漢'.repeat(2730)])(
    'may be any text: %#',
    (id) => {
      expect(checkId(id, 'node id')).toBe(id)
    },
  )

  test.each<[unknown, string]>([
    ['', 'A node id is empty.'],
    [5, 'A node id must be a string, not number.'],
    [null, 'A node id must be a string, not null.'],
    [undefined, 'A node id must be a string, not undefined.'],
    ['x'.repeat(8193), 'A node id has 8193 bytes.'],
    ['漢'.repeat(2731), 'A node id has 8193 bytes.'],
    ['\ud800', 'A node id holds half of a surrogate pair'],
  ])('may not be %#', (id, message) => {
    expect(() => checkId(id, 'node id')).toThrow(
      expect.objectContaining({ code: 'VARVE_BAD_ID', message: expect.stringContaining(message) as string }),
    )
  })
})

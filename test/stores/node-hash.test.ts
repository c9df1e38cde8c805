import { describe, expect, test } from 'vitest'
import { readJson } from '../../src/interop/llamaindex-json.ts'
import { nodeFromStored, nodeToStored } from '../../src/stores/node-codec.ts'
import { matchesHash } from '../../src/stores/matches-hash.ts'
import { Document, ImageDocument, ImageNode, IndexNode, Node, TextNode } from '../../src/stores/node.ts'
import { pythonMediaHash, typeScriptHash } from '../../src/stores/node-hash.ts'
import { pythonRepr } from '../../src/stores/python-repr.ts'
import { plainSpelling, takeSpelling } from '../../src/stores/spelling.ts'

/** JSON as a Python file holds it, with its spelling. */
function fromPython(json: string, at = '') {
  return takeSpelling(readJson(new TextEncoder().encode(json), 'test'), at)
}

function reprOf(json: string): string {
  const { value, spelling } = fromPython(json)
  return pythonRepr(value, { spelling })
}

describe("Python's repr (expected values printed by CPython 3.11)", () => {
  test.each([
    ['1.0', '1.0'],
    ['-0.0', '-0.0'],
    ['0.1', '0.1'],
    ['1e-05', '1e-05'],
    ['0.0001', '0.0001'],
    ['1.5e-07', '1.5e-07'],
    ['1000000000000000.0', '1000000000000000.0'],
    ['1e+16', '1e+16'],
    ['1.2345678901234568e+17', '1.2345678901234568e+17'],
    ['1e+22', '1e+22'],
    ['1e+300', '1e+300'],
    ['5e-324', '5e-324'],
    ['1.7976931348623157e+308', '1.7976931348623157e+308'],
    ['-2.5', '-2.5'],
    ['100.0', '100.0'],
    ['NaN', 'nan'],
    ['Infinity', 'inf'],
    ['-Infinity', '-inf'],
    ['12345678901234567890123', '12345678901234567890123'],
    ['true', 'True'],
    ['null', 'None'],
    ['0', '0'],
    ['-0', '0'],
    ['-7', '-7'],
    [String.raw`"it's"`, `"it's"`],
    [String.raw`"say \"hi\""`, `'say "hi"'`],
    [String.raw`"it's \"both\""`, String.raw`'it\'s "both"'`],
    [String.raw`"back\\slash"`, String.raw`'back\\slash'`],
    [String.raw`"tab\tnl\ncr\r\u0000\u001b\u007f"`, String.raw`'tab\tnl\ncr\r\x00\x1b\x7f'`],
    [String.raw`"\u0080\u00a0\u00ad\u00ff"`, String.raw`'\x80\xa0\xad` + 'ÿ' + `'`],
    [String.raw`"\u00e9\u6f22\u5b57\ud83d\ude00"`, `'é漢字😀'`],
    [String.raw`"\u200b\u2028\ufeff\u00ad"`, String.raw`'\u200b\u2028\ufeff\xad'`],
    [String.raw`"\ud800 half"`, String.raw`'\ud800 half'`],
    [String.raw`"\udb40\udc01 \udbff\udfff"`, String.raw`'\U000e0001 \U0010ffff'`],
    [String.raw`"\u0378"`, String.raw`'\u0378'`],
    [String.raw`"\u3000 ideographic space"`, String.raw`'\u3000 ideographic space'`],
    [
      String.raw`{"b": [1, 2.0, {"x": null}], "10": "a", "2": 1e+16, "\u00fc": {"k": []}}`,
      `{'b': [1, 2.0, {'x': None}], '10': 'a', '2': 1e+16, 'ü': {'k': []}}`,
    ],
  ])('of %s is %s', (json, expected) => {
    expect(reprOf(json)).toBe(expected)
  })

  test('of numbers made in JavaScript follows what JSON.stringify would have handed to Python', () => {
    expect(pythonRepr([1, 1.5, 1e21, 2 ** 60, 10n ** 30n])).toBe(
      `[1, 1.5, 1e+21, 1152921504606846976, ${10n ** 30n}]`,
    )
  })
})

const metadata = { a: 1, b: null, c: true, d: 1.5, e: "it's", f: ['x', 2], g: { k: 'v' } }

describe('hashes are those of LlamaIndex for Python', () => {
  test.each([
    [
      'a text node',
      new TextNode({ text: 'hello' }),
      '7debe8d278fe6c55c45f979269ab268102d75f8d48644d244cd0050dae0846ac',
    ],
    [
      'a text node with metadata',
      new TextNode({ text: 'hello', metadata }),
      'd77bd6679ee0654381f26a41a87cab4febddd0f4036bf26eb3c5df4879369344',
    ],
    [
      'an index node, which is hashed as text',
      new IndexNode({ text: 'hello', indexId: 'i', metadata }),
      'd77bd6679ee0654381f26a41a87cab4febddd0f4036bf26eb3c5df4879369344',
    ],
    [
      'a document',
      new Document({ text: 'hello' }),
      'd7914fe546b684688bb95f4f888a92dfc680603a75f23eb823658031fff766d9',
    ],
    [
      'a document with metadata',
      new Document({ text: 'hello', metadata }),
      'b3b9d829f05782ed9e7a8f36047836d04b5b210b02400e1da53b7079d3b42298',
    ],
    ['a node with nothing', new Node(), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [
      'an image node',
      new ImageNode({ text: 'hello' }),
      '66b195a325e039ab054bad349813cb06eddaf7065db3235ba3c90f17827440e6',
    ],
    [
      'an image node with an image',
      new ImageNode({ text: 'cap', image: 'QUJD', imageUrl: 'http://x', metadata }),
      '9c19f013983f1221cf4e1aeadeaa701e43a15508990252718d940f6a0e5e0cd1',
    ],
    [
      'media that looks like base64, which Python takes for it',
      new Node({ text: 'hi', imageResource: { data: Buffer.from('aGk=') } }),
      '8d359ae155560969dcc2748e685905a6fc739ae18935f937756a9d22492321d8',
    ],
    [
      'an empty text resource',
      new Node({ textResource: { text: '' } }),
      '1eaeba0acfe4952d1d025ed21643a2753701894b6fdcdcfd70ea62d8e7fd9802',
    ],
    [
      'halves of surrogate pairs',
      new TextNode({ text: '\ud800', metadata: { k: '\udfff' } }),
      '7683d0b48205c120dfa7d6ed35b6d6a7df4013265a3260c96edff3778fa7481a',
    ],
  ])('%s', (_, node, expected) => {
    expect(node.hash).toBe(expected)
  })

  test('an image document with floats in its metadata and its template', () => {
    const { value, spelling } = fromPython('{"k": 1.0, "l": [1, "x"]}', '/metadata')
    const image = new Uint8Array([0x89, 0x50, 0x4e, 0x47])
    const node = new Node({
      text: 'hi',
      imageResource: { data: image, path: 'a.png', url: 'http://x/' },
      metadata: value as Record<string, unknown>,
      spelling,
    })
    expect(node.hash).toBe('965a10e5e832e33764eee21be168ece642c345c7d6b50985cb89877f62e99924')
  })

  test('the order of keys that JavaScript would sort counts', () => {
    const json = String.raw`{"b": [1, 2.0, {"x": null}], "10": "a", "2": 1e+16, "\u00fc": {"k": []}}`
    const { value, spelling } = fromPython(json, '/metadata')
    const node = new TextNode({ text: 't', metadata: value as Record<string, unknown>, spelling })
    expect(Object.keys(node.metadata)).toEqual(['2', '10', 'b', 'ü'])
    expect(node.hash).toBe('f96eea99606be7552520ccefc0faf57e31b133b7365bfe3eea877e2e21eded2e')
  })
})

describe('a hash covers metadata as it will be stored', () => {
  test('so a node read back has the hash it had', () => {
    const node = new TextNode({ id_: 'n', metadata: { at: new Date(0), nothing: undefined } })
    const restored = nodeFromStored('n', nodeToStored(node))
    expect(restored.metadata).toEqual({ at: '1970-01-01T00:00:00.000Z' })
    expect(restored.hash).toBe(node.hash)
    expect(matchesHash(new TextNode({ metadata: { at: new Date(1) } }), node.hash)).toBe(false)
  })

  test('and what cannot be stored cannot be hashed', () => {
    const metadata: Record<string, unknown> = {}
    metadata.self = metadata
    expect(() => new TextNode({ metadata }).hash).toThrow(
      expect.objectContaining({ code: 'VARVE_BAD_METADATA' }),
    )
    expect(() => new Document({ metadata }).hash).toThrow(
      expect.objectContaining({ code: 'VARVE_BAD_METADATA' }),
    )
  })
})

describe('a carried hash', () => {
  test('counts while the content stands, and no longer', () => {
    const node = new TextNode({ text: 'hello' })
    node.carryHash('from elsewhere')
    expect(node.hash).toBe('from elsewhere')
    node.setContent('changed')
    expect(node.hash).toBe(new TextNode({ text: 'changed' }).hash)
    node.setContent('hello')
    expect(node.hash).toBe('from elsewhere')
  })

  test('is not kept if it is what we compute anyway', () => {
    const node = new TextNode({ text: 'hello' })
    node.carryHash(node.hash)
    expect(node.carriedHash).toBeUndefined()
  })
})

describe('a document matches the hash of whoever stored it', () => {
  const document = () => new Document({ text: 'hello', metadata })
  test.each([
    ['Python now', document(), 'b3b9d829f05782ed9e7a8f36047836d04b5b210b02400e1da53b7079d3b42298'],
    ['Python before 0.12', document(), 'd77bd6679ee0654381f26a41a87cab4febddd0f4036bf26eb3c5df4879369344'],
    [
      'Python before 2026, of an empty text',
      new Document({ textResource: { text: '' } }),
      emptyResourceHashBefore2026(),
    ],
    [
      'Python, of an empty text resource',
      new Document({ text: '' }),
      new Document({ textResource: { text: '' } }).hash,
    ],
    ['TypeScript', document(), typeScript('DOCUMENT')],
    ['TypeScript with codes for types', document(), typeScript('4')],
    [
      'TypeScript, of an image node',
      new ImageNode({ text: 'hello', metadata, image: 'QUJD' }),
      typeScript('IMAGE', { image: 'QUJD' }),
    ],
  ])('%s', (_, node, hash) => {
    expect(matchesHash(node, hash)).toBe(true)
  })

  test.each(['', 'nonsense', typeScript('TEXT')])('and no other: %j', (hash) => {
    expect(matchesHash(document(), hash)).toBe(false)
  })

  test('metadata that no template string can show is no reason to fail', () => {
    const hostile = new TextNode({ metadata: { a: { toString: 1, valueOf: 1 } } })
    expect(matchesHash(hostile, 'x')).toBe(false)
  })

  function typeScript(type: string, more: { image?: string } = {}): string {
    return typeScriptHash({ type, text: 'hello', metadata, metadataSeparator: '\n', ...more })
  }

  function emptyResourceHashBefore2026(): string {
    return pythonMediaHash({ metadataStr: '', textResource: { text: '' } }, { emptyText: '' })
  }
})

test('an image document keeps its bytes, and hashes them as Python does', () => {
  const document = new ImageDocument({ text: 'hi', image: 'iVBORw==', imageMimetype: 'image/png' })
  expect(document.imageResource).toEqual({
    data: new Uint8Array([0x89, 0x50, 0x4e, 0x47]),
    mimetype: 'image/png',
  })
  expect(document.image).toBe('iVBORw==')
  expect(document.spelling).toBe(plainSpelling)
})

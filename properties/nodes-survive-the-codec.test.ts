/** Whatever a node holds, storing it and reading it back gives the same node. */
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import { nodeFromStored, nodeToStored, type StoredNode } from '../src/stores/node-codec.ts'
import { nodeClasses, type BaseNode, type NodeClassName } from '../src/stores/node.ts'

/** Any string that JavaScript can hold: halves of surrogate pairs and the mark of the escapes among them. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('\ud800', '\udfff', '\uf8ff', 'a', '0', '😀') }),
  fc.constantFrom('__proto__', '\uf8ff__proto__', '\uf8ffd800', 'constructor', ''),
)
const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** 53, 1e300),
)
const bigint = fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n })
const leaf = fc.oneof(text, number, bigint, fc.boolean(), fc.constant(null))

const tree = fc.letrec<{ value: unknown; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('value'), { maxLength: 4 }), tie('object')),
  object: fc
    .array(fc.tuple(text, tie('value')), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries)),
})).object

const vector = fc.oneof(fc.array(number, { minLength: 1 }), fc.float32Array({ minLength: 1 }))
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const info = fc.record(
  { nodeId: text, nodeType: text, metadata: tree, hash: text, extra: tree },
  { requiredKeys: ['nodeId', 'metadata'] },
)
const resource = fc.record(
  { text, path: text, url: text, mimetype: text, data: fc.uint8Array(), embeddings: tree, extra: tree },
  { requiredKeys: [] },
)
const relationshipName = fc.oneof(fc.constantFrom('SOURCE', 'PREVIOUS', 'NEXT', 'PARENT', 'CHILD'), text)
const fields = fc.record(
  {
    embedding: vector,
    metadata: tree,
    excludedEmbedMetadataKeys: fc.array(text),
    excludedLlmMetadataKeys: fc.array(text),
    relationships: fc.dictionary(relationshipName, fc.oneof(info, fc.array(info, { maxLength: 3 }))),
    metadataTemplate: text,
    metadataSeparator: text,
    textTemplate: text,
    text,
    mimetype: text,
    startCharIdx: fc.nat(),
    endCharIdx: fc.nat(),
    image: text,
    imagePath: text,
    imageUrl: text,
    imageMimetype: text,
    textEmbedding: vector,
    indexId: text,
    textResource: resource,
    imageResource: resource,
    audioResource: resource,
    videoResource: resource,
    obj: tree,
    extra: tree,
    className: text,
  },
  { requiredKeys: [] },
)
const spelling = fc.record({
  floats: fc.uniqueArray(text.map((key) => `/metadata/${key}`)).map((pointers) => new Set(pointers)),
  keyOrders: fc
    .array(
      fc.tuple(
        text.map((key) => `/metadata/${key}`),
        fc.array(text),
      ),
    )
    .map((orders) => new Map(orders)),
})
const className = fc.constantFrom(...(Object.keys(nodeClasses) as NodeClassName[]))
const simpleNode = fc
  .tuple(className, fields, maybe(spelling), maybe(fc.record({ hash: text, of: fc.constant('0f') })))
  .map(
    ([name, init, spelled, carriedHash]) =>
      new nodeClasses[name]({ ...init, id_: 'n', spelling: spelled, carriedHash }),
  )
const node = fc.oneof(
  simpleNode,
  simpleNode.map((obj) => new nodeClasses.IndexNode({ id_: 'n', obj })),
)

const packr = new Packr({ useRecords: false, useBigIntExtension: true })
const throughMsgpack = (stored: StoredNode) => packr.unpack(packr.pack(stored)) as StoredNode

/** All that a node is, as something `toEqual` compares deeply; minus zero counts. */
function picture(of: BaseNode): unknown {
  const { className: name, baseClassName, carriedHash } = of
  const own: Record<string, unknown> = Object.fromEntries(Object.entries(of))
  if (own.obj instanceof nodeClasses.TextNode || own.obj instanceof nodeClasses.Node)
    own.obj = picture(own.obj)
  return {
    own,
    prototype: Object.getPrototypeOf(of) as unknown,
    name,
    baseClassName,
    carriedHash,
    keyOrders: of.spelling.keyOrders,
  }
}

test('every node of every class comes back as it was', () => {
  fc.assert(
    fc.property(node, (original) => {
      const restored = nodeFromStored('n', throughMsgpack(nodeToStored(original)))
      expect(picture(restored)).toEqual(picture(original))
      for (const pointer of original.spelling.floats) expect(restored.spelling.floats).toContain(pointer)
      expect(restored.hash).toBe(original.hash)
    }),
    { numRuns: 500 },
  )
})

test('storing a node twice gives the same bytes', () => {
  fc.assert(
    fc.property(node, (original) => {
      const once = packr.pack(nodeToStored(original))
      const twice = packr.pack(nodeToStored(nodeFromStored('n', packr.unpack(once) as StoredNode)))
      expect(twice.equals(once)).toBe(true)
    }),
  )
})

test('no prototype is touched', () => {
  fc.assert(
    fc.property(node, (original) => {
      nodeFromStored('n', throughMsgpack(nodeToStored(original)))
      expect(Object.keys(Object.prototype)).toEqual([])
    }),
  )
})

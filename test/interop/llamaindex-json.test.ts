import { describe, expect, test } from 'vitest'
import { Float, keysAsRead } from '../../src/stores/float.ts'
import { JsonReader, readJson } from '../../src/interop/llamaindex-json.ts'
import { windows1252ToUtf8 } from '../../src/interop/json-encoding.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const read = (text: string | Uint8Array) =>
  readJson(typeof text === 'string' ? utf8(text) : text, 'file.json')

describe('what Python writes is read', () => {
  test.each<[string, unknown]>([
    ['NaN', NaN],
    ['[NaN, Infinity, -Infinity]', [NaN, Infinity, -Infinity]],
    ['1', 1],
    ['-0', 0],
    ['1.0', new Float(1)],
    ['-0.0', new Float(-0)],
    ['1e-07', 1e-7],
    ['1e+16', new Float(1e16)],
    ['1E2', new Float(100)],
    ['1e400', Infinity],
    ['-1e400', -Infinity],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['-123456789012345678901234567890', -123456789012345678901234567890n],
    ['[0.5, 1.0, 2]', [0.5, new Float(1), 2]],
    ['[0.5, -2.25e-3]', [0.5, -0.00225]],
    ['[1, "]", [2]]', [1, ']', [2]]],
    ['[ ]', []],
    ['{ }', {}],
    [' \t\r\n[ 1 ,\n2 ] \n', [1, 2]],
    ['"\\ud83d\\ude00 \\ud800 \\udc00x"', '😀 \ud800 \udc00x'],
    ['"\\u0000\\b\\f\\n\\r\\t\\/\\\\\\""', '\0\b\f\n\r\t/\\"'],
    ['"é漢\u007f\u2028"', 'é漢\u007f\u2028'],
    ['"\ufffd"', '\ufffd'],
    ['{"a": {"b": [true, false, null]}}', { a: { b: [true, false, null] } }],
    ['{"a": 1, "a": 2}', { a: 2 }],
    ['"text alone"', 'text alone'],
  ])('%s', (json, expected) => {
    expect(read(json)).toEqual(expected)
  })

  test('with __proto__ as a key like any other', () => {
    const value = read('{"__proto__": {"x": 1}, "a": 1}') as object
    expect(Object.keys(value)).toEqual(['__proto__', 'a'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as { x?: number }).x).toBeUndefined()
  })

  test('with keys in their order, also those that JavaScript would sort', () => {
    const value = read('{"b": 1, "10": 2, "a": 3, "2": 4, "10": 5}') as Record<string, unknown>
    expect(value).toEqual({ b: 1, '10': 5, a: 3, '2': 4 })
    expect(keysAsRead(value)).toEqual(['b', '10', 'a', '2'])
    expect(Reflect.ownKeys(read('{"1": 1, "2": 2, "x": 3}') as object)).toEqual(['1', '2', 'x'])
  })

  test('with halves of surrogate pairs as raw bytes, as Python accepts them', () => {
    expect(read(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x61, 0xed, 0xbf, 0xbf, 0x22))).toBe('\ud800a\udfff')
  })
})

describe('in any encoding that Python detects', () => {
  const text = '{"a": "é漢😀\ud800"}'
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
  const points = Array.from(text, (char) => char.codePointAt(0) ?? 0)
  const bytesOf = (numbers: number[], width: 2 | 4, isLittle: boolean) => {
    const view = new DataView(new ArrayBuffer(numbers.length * width))
    numbers.forEach((number, index) => {
      if (width === 2) view.setUint16(index * 2, number, isLittle)
      else view.setUint32(index * 4, number, isLittle)
    })
    return new Uint8Array(view.buffer)
  }
  test.each([
    ['UTF-8 with a mark', utf8('\ufeff{"a": 1}'), { a: 1 }],
    ['UTF-16 little endian', bytesOf(units, 2, true), { a: 'é漢😀\ud800' }],
    ['UTF-16 big endian', bytesOf(units, 2, false), { a: 'é漢😀\ud800' }],
    ['UTF-16 little endian with a mark', bytesOf([0xfeff, ...units], 2, true), { a: 'é漢😀\ud800' }],
    ['UTF-16 big endian with a mark', bytesOf([0xfeff, ...units], 2, false), { a: 'é漢😀\ud800' }],
    ['UTF-32 little endian', bytesOf(points, 4, true), { a: 'é漢😀\ud800' }],
    ['UTF-32 big endian', bytesOf(points, 4, false), { a: 'é漢😀\ud800' }],
    ['UTF-32 little endian with a mark', bytesOf([0xfeff, ...points], 4, true), { a: 'é漢😀\ud800' }],
    ['UTF-32 big endian with a mark', bytesOf([0xfeff, ...points], 4, false), { a: 'é漢😀\ud800' }],
    ['UTF-16 of one character', bytesOf([0x31], 2, true), 1],
    ['Windows-1252, when told so', windows1252ToUtf8(Uint8Array.of(0x22, 0xe9, 0x80, 0x93, 0x22)), 'é€“'],
  ])('%s', (_, bytes, expected) => {
    expect(read(bytes)).toEqual(expected)
  })

  test.each([
    [
      'half a character of UTF-16',
      Uint8Array.of(0x5b, 0, 0x5d, 0, 0x20),
      /ends in the middle of a character/,
    ],
    [
      'no character of UTF-32',
      bytesOf([0x5b, 0x110000], 4, true),
      /holds no character of utf-32le at byte 4/,
    ],
  ])('but not %s', (_, bytes, message) => {
    expect(() => read(bytes)).toThrow(message)
  })
})

describe('what is no JSON says where, and what was expected', () => {
  test.each<[string, string | Uint8Array, number, string]>([
    ['an empty file', '', 0, 'file.json is empty.'],
    ['white space alone', '  \n', 3, 'file.json ends after 3 bytes, where more was expected: it is cut off.'],
    ['an object cut off', '{"a": 1', 7, 'file.json ends after 7 bytes'],
    ['an object cut off after its bracket', '{', 1, 'ends after 1 bytes'],
    ['a list cut off', '[1, 2', 5, 'ends after 5 bytes'],
    ['a list cut off after a comma', '[1,', 3, 'ends after 3 bytes'],
    [
      'a string cut off',
      '{"a": "xy',
      9,
      'ends after 9 bytes, where the closing quote of a string was expected',
    ],
    ['a string cut off in an escape', '"x\\', 4, 'ends after 3 bytes'],
    ['a key without a value', '{"a"}', 4, 'at byte 4 ":" was expected, not "}"'],
    ['a key without quotes', '{a: 1}', 1, 'at byte 1 a key in double quotes was expected'],
    ['a comma too many', '[1,]', 3, 'at byte 3 a value was expected'],
    ['a comma too many in an object', '{"a":1,}', 7, 'at byte 7 a key in double quotes was expected'],
    ['a missing comma', '[1 2]', 3, 'at byte 3 "," or "]" was expected'],
    ['single quotes', "['a']", 1, 'at byte 1 a value was expected'],
    ['a comment', '[1, /* x */ 2]', 4, 'a value was expected'],
    ['something after the end', '{} x', 3, 'at byte 3 the end of the file was expected'],
    ['two values', '{"a":1}{"a":2}', 7, 'the end of the file was expected'],
    ['None', '[None]', 1, 'a value was expected, not "None]"'],
    ['a leading zero', '[01, 1]', 1, 'a value was expected'],
    ['a plus', '+1', 0, 'a value was expected'],
    ['a point without digits', '1.', 0, 'a value was expected'],
    ['an exponent without digits', '[1e]', 1, 'a value was expected'],
    ['a bare minus', '-', 0, 'a value was expected'],
    ['minus NaN', '-NaN', 0, 'a value was expected'],
    ['half a literal', 'tru', 0, 'a value was expected'],
    ['a raw line break in a string', '"a\nb"', 2, 'an escape for a control character was expected'],
    ['an unknown escape', '"\\x"', 1, 'holds an escape that JSON does not know in the string at byte 1'],
    ['half an escape', '"\\u12"', 1, 'holds an escape that JSON does not know'],
    [
      'bytes that are no UTF-8',
      Uint8Array.of(0x22, 0xff, 0x22),
      1,
      'holds bytes that are not UTF-8 in the string at byte 1',
    ],
    ['zeros, as a crash leaves them', new Uint8Array(64), 0, 'a value was expected'],
    [
      'an integer too long to convert',
      '9'.repeat(5000),
      0,
      'holds a number of more than 4300 digits at byte 0',
    ],
  ])('%s', (_, json, offset, message) => {
    expect(() => read(json)).toThrow(
      expect.objectContaining({
        code: 'VARVE_BAD_FILE',
        message: expect.stringContaining(message) as string,
        fields: expect.objectContaining({ file: 'file.json', offset }) as object,
      }),
    )
  })

  test.each(['[', '{"a":', '[{"a":'])('%j nested 100,000 deep, without exhausting the stack', (open) => {
    expect(() => read(open.repeat(100_000))).toThrow(/nests more than 1000 levels/)
  })

  test('a thousand levels are read', () => {
    expect(() => read('['.repeat(1000) + '1' + ']'.repeat(1000))).not.toThrow()
    expect(() => read('['.repeat(1001) + '1' + ']'.repeat(1001))).toThrow(/1000 levels/)
  })

  test('every prefix of a file is cut off or damaged, never read', () => {
    const whole = '{"a": [1.5, NaN, "x\\n\\ud800"], "b": {"c": null, "10": -12e-3}, "d": true}'
    for (let length = 0; length < whole.length; length++) {
      expect(() => read(whole.slice(0, length))).toThrow(expect.objectContaining({ code: 'VARVE_BAD_FILE' }))
    }
  })
})

describe('value by value', () => {
  test('members come in order, repeated ones too, and unread values are skipped', () => {
    const reader = new JsonReader(utf8('{"2": [1, {"x": "}"}], "1": "a", "2": {"k": 5}}'), 'f')
    const seen: [string, unknown][] = []
    for (const key of reader.members()) if (key !== '1') seen.push([key, reader.value()])
    reader.end()
    expect(seen).toEqual([
      ['2', [1, { x: '}' }]],
      ['2', { k: 5 }],
    ])
  })

  test.each<[string, number[] | undefined]>([
    ['[0.5, 1, -2e3]', [0.5, 1, -2000]],
    ['[ 1.0 ]', [1]],
    ['[NaN, null, Infinity]', [NaN, NaN, Infinity]],
    ['[123456789012345678901234567890]', [1.2345678901234568e29]],
    ['[]', []],
    ['[1, "2"]', undefined],
    ['[[1]]', undefined],
    ['null', undefined],
    ['"x"', undefined],
    ['{"a": 1}', undefined],
  ])('numbers of %s', (json, expected) => {
    const reader = new JsonReader(utf8(json), 'f')
    expect(reader.numbers()?.vector).toEqual(expected && new Float32Array(expected))
    reader.end()
  })

  test('numbers that are cut off or damaged are errors', () => {
    for (const json of ['[1, 2', '[1 2]', '[1,,2]', '[01]', '[1.e]']) {
      expect(() => new JsonReader(utf8(json), 'f').numbers()).toThrow(
        expect.objectContaining({ code: 'VARVE_BAD_FILE' }),
      )
    }
  })
})

describe('piece by piece', () => {
  const text = String.raw`  {"a": [1.5, -2e3, 0.25], "ü\n\u0041": "x😀y", "list": [1, 2.0, NaN], "o": {"__proto__": null, "10": true, "2": -0.0}, "empty": [], "n": 12345678901234567890}  `

  /** Pieces of a length that has nothing to do with the text; what was passed is let go at once. */
  function pieces(bytes: Uint8Array, length: number): JsonReader {
    let at = length
    const source = {
      readOn: () => bytes.subarray(at, (at += length)),
      readAgain: (offset: number, size: number) => bytes.subarray(offset, offset + size),
      skipped: () => {},
      keptBytes: 1,
    }
    return new JsonReader(bytes.subarray(0, length), 'f', source)
  }

  test('a file read in pieces of any length is the file read whole', () => {
    const bytes = utf8(text)
    const whole = readJson(bytes, 'f')
    for (let length = 4; length <= bytes.length; length++) {
      const reader = pieces(bytes, length)
      expect(reader.value(), `pieces of ${length}`).toEqual(whole)
      reader.end()
    }
  })

  test('errors name the same place, and where it is cut off', () => {
    for (const bad of [
      '{"a": [1, 2], "b": tru }',
      '{"a": "x',
      '[1, 2',
      '{"key": 1, 2}',
      '{"a": "\\q"}',
      '[] x',
    ]) {
      const bytes = utf8(bad)
      const errorOf = (read: () => void): unknown => {
        try {
          read()
        } catch (error) {
          return error
        }
        throw new Error(`${bad} was read`)
      }
      const expected = errorOf(() => readJson(bytes, 'f'))
      for (let length = 4; length <= bytes.length; length++) {
        const found = errorOf(() => {
          const reader = pieces(bytes, length)
          reader.value()
          reader.end()
        })
        const [message, other] = [expected, found].map((error) =>
          (error as Error).message.replace(/, not .*/, ''),
        )
        expect(other, `pieces of ${length}`).toBe(message)
      }
    }
  })

  test('lists of numbers can be skipped, and read later', () => {
    const bytes = utf8('{"a": [0.5, 1.5], "b": [NaN], "c": ["]"], "d": [ 2, 3 ], "e": [0.1, , 2]}')
    for (const length of [4, 5, 7, 100]) {
      const reader = pieces(bytes, length)
      const found: Record<string, unknown> = {}
      for (const key of reader.members()) found[key] = reader.numbersLater() ?? reader.numbers()
      reader.end()
      const later = (key: string) => (found[key] as () => { vector: Float32Array })()
      expect(later('a').vector).toEqual(new Float32Array([0.5, 1.5]))
      expect(found.b).toMatchObject({ vector: new Float32Array([NaN]) })
      expect(found.c).toBeUndefined()
      expect(later('d')).toMatchObject({ vector: new Float32Array([2, 3]), numerals: 2 })
      expect(() => later('e')).toThrow(expect.objectContaining({ code: 'VARVE_BAD_FILE' }))
    }
  })

  test('objects can be skipped by their brackets, and read later', () => {
    const whole = String.raw`{"x": {"y": ["}", "\\", "\\\"", "\"{["], "z": {}}, "1": 1.0}`
    const bytes = Buffer.from(`{"a": ${whole}, "b": [], "c": "{", "d": {"X": 1}, "e": { "x": tru }, "f": 1}`)
    for (let length = 4; length <= bytes.length; length++) {
      const reader = pieces(bytes, length)
      const found: Record<string, unknown> = {}
      for (const key of reader.members()) found[key] = reader.objectLater(/^\{ ?"x"/) ?? reader.value()
      reader.end()
      const later = (key: string) => (found[key] as () => unknown)()
      expect(later('a'), `pieces of ${length}`).toEqual(readJson(utf8(whole), 'f'))
      expect(found).toMatchObject({ b: [], c: '{', d: { X: 1 }, f: 1 })
      expect(() => later('e')).toThrow(new RegExp(`at byte ${bytes.indexOf('tru')} `))
    }
  })

  test('an object that the file ends in is not skipped, and its error says where', () => {
    for (const bad of ['{"a": {"x": [1, 2}', '{"a": {"x": "y', '{"a": {"x": "y\\"']) {
      const reader = pieces(utf8(bad), 4)
      const read = () => Array.from(reader.members(), () => reader.objectLater(/^\{/) ?? reader.value())
      expect(read).toThrow(expect.objectContaining({ code: 'VARVE_BAD_FILE' }))
    }
  })
})

/**
 * The only door to msgpackr. Plain msgpack: no records, no shared structures, so that any msgpack library
 * reads each value alone. BigInt is written as int64 or uint64 and comes back as BigInt; numbers come back as
 * numbers.
 */
import { Packr, Unpackr } from 'msgpackr'
import { plainForm } from './plain-msgpack.ts'

const options = {
  useRecords: false,
  int64AsType: 'bigint',
  moreTypes: false,
  useBigIntExtension: true,
  variableMapSize: true,
} as const
const packr = new Packr({ ...options, skipValues: [undefined] } as ConstructorParameters<typeof Packr>[0])
const unpackr = new Unpackr({ ...options, mapsAsObjects: true })
const mapUnpackr = new Unpackr({ ...options, mapsAsObjects: false })

/**
 * Throws `RangeError` for what msgpack cannot say, `TypeError` for what `decode` would refuse: a `Date`, a hole in a list. The bytes are the
 * caller's.
 */
export function encode(value: unknown): Uint8Array {
  const bytes = packr.pack(value)
  if (!plainForm(bytes)) throw new TypeError('Only plain values can be stored.')
  return bytes
}

/** Throws for bytes that are not one value of plain msgpack. */
export function decode(bytes: Uint8Array): unknown {
  const form = plainForm(bytes)
  if (!form) throw new RangeError('These bytes are not one value of plain MessagePack.')
  // msgpackr renames a key `__proto__` to be safe; here it must survive, as an own property.
  return form.hasProto ? fromMaps(mapUnpackr.unpack(bytes)) : unpackr.unpack(bytes)
}

/** The same; `undefined`, which no msgpack says, for bytes that are not. */
export function tryDecode(bytes: Uint8Array): unknown {
  try {
    return decode(bytes)
  } catch {
    return undefined // Whoever asks tells where they stand.
  }
}

function fromMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromMaps)
  if (!(value instanceof Map)) return value
  const object = {}
  for (const [key, member] of value) {
    Object.defineProperty(object, String(key), {
      value: fromMaps(member),
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
  return object
}

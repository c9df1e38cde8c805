/**
 * The only door to msgpackr. Plain msgpack: no records, no shared structures, so that any msgpack library
 * reads each value alone. BigInt is written as int64 or uint64 and comes back as BigInt; numbers come back as
 * numbers.
 */
import { Packr, Unpackr } from 'msgpackr'

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

const protoKey = Buffer.from('__proto__')

/** Throws `RangeError` for what msgpack cannot say. The bytes are the caller's. */
export function encode(value: unknown): Uint8Array {
  return packr.pack(value)
}

/** Throws for bytes that are not one msgpack value. */
export function decode(bytes: Uint8Array): unknown {
  // msgpackr renames a key `__proto__` to be safe; here it must survive, as an own property.
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(protoKey))
    return fromMaps(mapUnpackr.unpack(bytes))
  return unpackr.unpack(bytes)
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

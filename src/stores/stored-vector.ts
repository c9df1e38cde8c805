/** Vectors of a node as bytes, little endian: exact, and a ninth smaller than msgpack's numbers. */
import type { Embedding } from './base-node.ts'

export function vectorToBytes(vector: Embedding): Uint8Array {
  const view = new DataView(new ArrayBuffer(vector.length * widthOf(vector)))
  const isSingle = vector instanceof Float32Array
  vector.forEach((number, index) => {
    if (typeof number !== 'number') throw new TypeError(`An embedding holds numbers, not ${typeof number}.`)
    if (isSingle) view.setFloat32(index * 4, number, true)
    else view.setFloat64(index * 8, number, true)
  })
  return new Uint8Array(view.buffer)
}

export function doublesFromBytes(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: bytes.length / 8 }, (_, index) => view.getFloat64(index * 8, true))
}

export function singlesFromBytes(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true))
}

function widthOf(vector: Embedding): number {
  return vector instanceof Float32Array ? 4 : 8
}

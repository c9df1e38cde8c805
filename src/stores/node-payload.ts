/** Nodes from the payloads that hold them. Whoever cannot be read is named with its place. */
import { VarveError } from '../errors.ts'
import { tryDecode } from '../journal/codec.ts'
import type { Position } from '../journal/event.ts'
import type { BaseNode } from './node.ts'
import { nodeFromStored } from './node-codec.ts'
import { unknownForm, type PayloadPlace } from './payload-place.ts'

interface Payloads {
  payloads(folder: string, positions: readonly Position[]): Uint8Array[]
}

export function nodesAt(
  source: Payloads,
  folder: string,
  places: readonly (readonly [id: string, position: Position])[],
): BaseNode[] {
  const payloads = source.payloads(
    folder,
    places.map(([, position]) => position),
  )
  return places.map(([id, position], index) => decodeNode(id, payloads[index]!, { folder, position }))
}

/** Throws `VARVE_CORRUPT`. */
export function decodeNode(id: string, payload: Uint8Array, place: PayloadPlace): BaseNode {
  try {
    return nodeFromStored(id, tryDecode(payload))
  } catch (cause) {
    if (!(cause instanceof VarveError)) throw cause
    throw unknownForm(`node ${id}`, place, { id, cause })
  }
}

/** A position inside a table's value: four numbers. */
import type { Position } from '../journal/event.ts'
import { count, tuple } from '../journal/shape.ts'

export type PlainPosition = [segment: number, offset: number, length: number, crc: number]

export const plainPosition = tuple(count, count, count, count)

export function positionToPlain({ segment, offset, length, crc }: Position): PlainPosition {
  return [segment, offset, length, crc]
}

export function positionFromPlain([segment, offset, length, crc]: PlainPosition): Position {
  return { segment, offset, length, crc }
}

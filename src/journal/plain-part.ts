/** A part as plain data in a commit's head or in the catalog, and what of it can be: names from a file never become paths unchecked. */
import { isStoreFolder } from '../log/names.ts'
import type { Part } from '../log/part.ts'
import { count, digest, tuple, type Shape } from './shape.ts'

export type PlainPart = [segment: number, from: number, to: number, frames: number, digest: Uint8Array]

export const storeFolder: Shape = (value) => typeof value === 'string' && isStoreFolder(value)

const isPart = tuple(count, count, count, count, digest)

export const plainPart: Shape = (value) => isPart(value) && (value as PlainPart)[1] <= (value as PlainPart)[2]

export function partToPlain({ segment, from, to, frames, digest: sum }: Part): PlainPart {
  return [segment, from, to, frames, sum]
}

export function partFromPlain(folder: string, [segment, from, to, frames, sum]: PlainPart): Part {
  return { folder, segment, from, to, frames, digest: sum }
}

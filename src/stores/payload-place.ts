/** Where a payload stands, and the error for one whose checksum is met and whose form no version wrote. */
import { VarveError } from '../errors.ts'
import type { Position } from '../journal/event.ts'

export interface PayloadPlace {
  folder: string
  position: Position
}

export function unknownForm(
  what: string,
  { folder, position }: PayloadPlace,
  fields: { id?: string; cause?: unknown } = {},
): VarveError {
  const { segment, offset } = position
  return new VarveError(
    'VARVE_CORRUPT',
    `Damaged: ${folder}, segment ${segment}, offset ${offset}: ${what} is stored in a form that no version wrote.`,
    { store: folder, ...position, ...fields },
  )
}

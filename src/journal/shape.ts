/**
 * What plain data that was read back must look like. Checksums tell what a disk did to bytes; that they were made with good will they do not
 * tell, and a wrong shape would throw far from here, or fold to nonsense without a word.
 */
export type Shape = (value: unknown) => boolean

export const anything: Shape = () => true
export const text: Shape = (value) => typeof value === 'string'
export const bytes: Shape = (value) => value instanceof Uint8Array
/** A whole number that can be counted to, from 0. */
export const count: Shape = (value) => Number.isSafeInteger(value) && (value as number) >= 0
export const positive: Shape = (value) => count(value) && value !== 0
/** SHA-256. */
export const digest: Shape = (value) => value instanceof Uint8Array && value.length === 32

export function orNull(shape: Shape): Shape {
  return (value) => value === null || shape(value)
}

export function oneOf(...values: readonly unknown[]): Shape {
  return (value) => values.includes(value)
}

export function listOf(shape: Shape): Shape {
  return (value) => Array.isArray(value) && value.every((member) => shape(member))
}

/** A list of exactly these. */
export function tuple(...shapes: readonly Shape[]): Shape {
  return (value) => {
    if (!Array.isArray(value) || value.length !== shapes.length) return false
    for (let at = 0; at < shapes.length; at++) if (!shapes[at]!(value[at])) return false
    return true
  }
}

export function either(...shapes: readonly Shape[]): Shape {
  return (value) => shapes.some((shape) => shape(value))
}

/** What `{}` makes, with members of any name. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}

/** An object with none but these members, any of which may be missing. */
export function fields(shapes: Readonly<Record<string, Shape>>): Shape {
  return (value) =>
    isObject(value) &&
    Object.keys(value).every((name) => Object.hasOwn(shapes, name) && shapes[name]!(value[name]))
}

export function recordOf(key: Shape, shape: Shape): Shape {
  return (value) =>
    isObject(value) && Object.entries(value).every(([name, member]) => key(name) && shape(member))
}

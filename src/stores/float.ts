/**
 * What a JSON reader hands over where JavaScript's values are too poor for Python's: a number written as a float although it is
 * integral (`1.0`), and the order of keys which JavaScript would sort (`"10"` before `"2"`). `takeSpelling` turns both into notes.
 */
export class Float {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** On an object whose keys JavaScript lists in another order than the text: all its keys, in the text's order. */
export const keyOrder: unique symbol = Symbol('keyOrder')

/** The keys of an object as the reader met them. */
export function keysAsRead(object: object): readonly string[] {
  return (object as { [keyOrder]?: readonly string[] })[keyOrder] ?? Object.keys(object)
}

/** On an object or list that was spelled out again: the keys of the integral numbers in it that are floats. */
export const floatMembers: unique symbol = Symbol('floatMembers')

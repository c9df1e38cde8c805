/** Trees that are made while they are written: an object whose members come one after another, so that no more than one of them need be in memory. */
import { objectOf } from './python-spelled.ts'
import { VectorNumbers } from './vector-numbers.ts'

export class Members {
  readonly entries: Iterable<readonly [key: string, value: unknown]>

  constructor(entries: Iterable<readonly [key: string, value: unknown]>) {
    this.entries = entries
  }
}

/** Each made when it is asked for. */
export function membersOf<T>(
  items: Iterable<T>,
  toEntry: (item: T) => readonly [key: string, value: unknown],
): Members {
  return new Members({
    *[Symbol.iterator]() {
      for (const item of items) yield toEntry(item)
    },
  })
}

/** A string that is the JSON of a tree. */
export class JsonInString {
  readonly tree: unknown

  constructor(tree: unknown) {
    this.tree = tree
  }
}

/** A form of JSON. */
export interface JsonStyle {
  comma: string
  colon: string
  quoted: (text: string) => string
  /** Any tree in one text, without `Members` in it. */
  json: (tree: unknown) => string
}

/** The JSON of a tree, piece by piece. */
export function* jsonPieces(tree: unknown, style: JsonStyle): Generator<string> {
  if (tree instanceof Members) {
    let before = '{'
    for (const [key, value] of tree.entries) {
      yield before + style.quoted(key) + style.colon
      yield* jsonPieces(value, style)
      before = style.comma
    }
    yield before === '{' ? '{}' : '}'
  } else if (tree instanceof JsonInString) {
    yield '"'
    for (const piece of jsonPieces(tree.tree, style)) yield style.quoted(piece).slice(1, -1)
    yield '"'
  } else yield style.json(tree)
}

/** The same tree as plain values. */
export function plainTree(tree: unknown, style: JsonStyle): unknown {
  if (tree instanceof Members)
    return objectOf(Array.from(tree.entries, ([key, value]) => [key, plainTree(value, style)] as const))
  if (tree instanceof VectorNumbers) return tree.numbers
  return tree instanceof JsonInString ? [...jsonPieces(tree.tree, style)].join('') : tree
}

/** Reads a tree in memory as `JsonReader` reads a file, so that both go through the same readers. The tree is not changed. */
import { Float, keysAsRead } from '../stores/float.ts'
import { asNumber } from './json-number.ts'
import { isObject } from './llamaindex-field.ts'
import { badShape } from './llamaindex-shape.ts'
import { asRead } from './python-spelled.ts'
import { toVector, type ReadVector } from './read-vector.ts'
import type { JsonKind, ValueReader } from './llamaindex-json.ts'

export class TreeReader implements ValueReader {
  #next: unknown
  readonly #name: string

  /** `name` is how messages call the tree, which is plain (`checkTree`) but for what it carries out of sight. */
  constructor(tree: unknown, name: string) {
    this.#next = tree
    this.#name = name
  }

  kind(): JsonKind {
    if (Array.isArray(this.#next) || ArrayBuffer.isView(this.#next)) return 'list'
    if (typeof this.#next === 'string') return 'string'
    return isObject(this.#next) && !(this.#next instanceof Float) ? 'object' : 'scalar'
  }

  *members(): Generator<string, void> {
    const object = this.#next
    if (!isObject(object)) throw badShape(this.#name, 'an object was expected')
    for (const key of keysAsRead(object)) {
      this.#next = object[key]
      yield key
    }
  }

  /** The value that comes next, itself. */
  peek(): unknown {
    return this.#next
  }

  value(): unknown {
    return asRead(this.#next)
  }

  /** Whole numbers of a plain list are floats, as in every vector that Python has. */
  numbers(): ReadVector | undefined {
    const list = this.#next
    if (list instanceof Float32Array) return { vector: list.slice(), numerals: 0 }
    if (!Array.isArray(list)) return undefined
    const numbers = list.map(asNumber)
    return numbers.includes(undefined) ? undefined : toVector(numbers as number[], false)
  }

  end(): void {}
}

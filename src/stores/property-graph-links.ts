/** Which triplets touch a node. Made when first asked for, and then only told what changed: no question about a few nodes reads the whole graph twice. */
import type { Triplet } from './contract.ts'
import type { PropertyGraphState } from './property-graph-state.ts'
import { escapeText, unescapeText } from './storable.ts'

const links = new WeakMap<PropertyGraphState, PropertyGraphLinks>()

/** Each once, in the order they came. */
export function tripletsTouching(state: PropertyGraphState, ids: Iterable<string>): Triplet[] {
  let known = links.get(state)
  if (known === undefined) links.set(state, (known = new PropertyGraphLinks(state)))
  return known.touching(ids)
}

class PropertyGraphLinks {
  readonly #triplets: PropertyGraphState['triplets']
  /** Keys of the table by the ids, escaped as they are there. */
  readonly #keys = new Map<string, Set<string>>()
  readonly #changed = new Set<string>()

  constructor({ triplets }: PropertyGraphState) {
    this.#triplets = triplets
    triplets.follow(this.#changed)
    for (const key of triplets.keys()) this.#changed.add(key)
  }

  touching(ids: Iterable<string>): Triplet[] {
    this.#catchUp()
    const keys = new Set<string>()
    for (const id of ids) for (const key of this.#keys.get(escapeText(id)) ?? []) keys.add(key)
    return [...keys]
      .map((key) => ({ key, order: this.#triplets.orderOf(key)! }))
      .sort((a, b) => a.order - b.order)
      .map(({ key }) => this.#triplets.get(key)!.map(unescapeText) as unknown as Triplet)
  }

  #catchUp(): void {
    for (const key of this.#changed) {
      const [source, , target] = JSON.parse(key) as Triplet
      for (const id of [source, target]) {
        const keys = this.#keys.get(id) ?? new Set()
        if (this.#triplets.has(key)) this.#keys.set(id, keys.add(key))
        else if (keys.delete(key) && keys.size === 0) this.#keys.delete(id)
      }
    }
    this.#changed.clear()
  }
}

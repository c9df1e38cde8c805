/** The parts of a property graph as `property_graph_store.json` has them, each with its own spelling. */
import { keysAsSpelled, plainSpelling, pointerTo, type Spelling } from '../stores/spelling.ts'
import { isObject } from './llamaindex-field.ts'
import type { Triplet } from '../stores/contract.ts'
import type { SpelledTree } from '../stores/stored-metadata.ts'

export interface PropertyGraphParts {
  nodes: [id: string, fields: SpelledTree][]
  relations: [key: string, fields: SpelledTree][]
  /** Each once. */
  triplets: Triplet[]
}

export function propertyGraphParts(
  { tree, spelling }: { tree: Record<string, unknown>; spelling: Spelling },
  warn: (message: string) => void,
): PropertyGraphParts {
  const spellings = byMember(spelling)
  const members = (part: 'nodes' | 'relations'): [string, SpelledTree][] => {
    const all = tree[part] ?? {}
    if (!isObject(all)) {
      warn(`Its ${part} are not an object, and were left out.`)
      return []
    }
    const keys = keysAsSpelled(all, `/${part}`, spelling)
    const known = keys.filter((key) => isObject(all[key]))
    if (known.length < keys.length)
      warn(`${keys.length - known.length} of its ${part} are not objects, and were left out.`)
    return known.map((key) => {
      const own = spellings.get(pointerTo(`/${part}`, key)) ?? plainSpelling
      return [key, { value: all[key], spelling: own }]
    })
  }
  const others = Object.keys(tree).filter((key) => !knownParts.has(key))
  if (others.length > 0) warn(`The parts ${others.join(', ')} are unknown, and were left out.`)
  return {
    nodes: members('nodes'),
    relations: members('relations'),
    triplets: tripletsIn(tree.triplets, warn),
  }
}

const knownParts = new Set(['nodes', 'relations', 'triplets'])

function tripletsIn(value: unknown, warn: (message: string) => void): Triplet[] {
  const list = Array.isArray(value) ? (value as unknown[]) : []
  const triplets = list.filter(isTriplet)
  if (triplets.length < list.length || (!Array.isArray(value) && value !== undefined && value !== null))
    warn(`${list.length - triplets.length || 'All'} of its triplets are no three texts, and were left out.`)
  return [...new Map(triplets.map((triplet) => [JSON.stringify(triplet), triplet])).values()]
}

function isTriplet(value: unknown): value is Triplet {
  return Array.isArray(value) && value.length === 3 && value.every((part) => typeof part === 'string')
}

/** The spelling of each `/part/key`, whose pointer is then `''`. */
function byMember({ floats, keyOrders }: Spelling): Map<string, Spelling> {
  const spellings = new Map<string, { floats: Set<string>; keyOrders: Map<string, readonly string[]> }>()
  const at = (pointer: string) => {
    const [, member = '', rest = ''] = /^(\/[^/]*\/[^/]*)(.*)$/s.exec(pointer) ?? []
    const known = spellings.get(member) ?? { floats: new Set(), keyOrders: new Map() }
    spellings.set(member, known)
    return { known, rest }
  }
  for (const pointer of floats) {
    const { known, rest } = at(pointer)
    known.floats.add(rest)
  }
  for (const [pointer, keys] of keyOrders) {
    const { known, rest } = at(pointer)
    known.keyOrders.set(rest, keys)
  }
  return spellings
}

/** The graph store that keeps its triplets in the journal: LlamaIndex's `SimpleGraphStore`, but its `delete` deletes. */
import type { JournalHandle } from '../journal/handle.ts'
import type { GraphStore, Triplet } from './contract.ts'
import { tripletsAdded, tripletsDeleted } from './graph-events.ts'
import { allTriplets, hasTriplet, pairsOf, type GraphState } from './graph-state.ts'
import { checkId } from './ids.ts'
import { JournalStore } from './journal-store.ts'
import { unescapeText } from './storable.ts'

export const graphFolder = 'graph_store'

export class JournalGraphStore extends JournalStore<GraphState> implements GraphStore {
  constructor(handle: JournalHandle) {
    super(handle, graphFolder)
  }

  async get(subject: string): Promise<[string, string][]> {
    return this.read((state) => pairsOf(state, subject))
  }

  /**
   * Walks depth first from each subject, and answers the triplets met, at most `limit` in all, in the order of the subjects. LlamaIndex's defaults: depth 2,
   * limit 30, all subjects.
   */
  async getRelMap(
    subjects?: readonly string[],
    { depth = 2, limit = 30 } = {},
  ): Promise<Map<string, Triplet[]>> {
    return this.read((state) => {
      const map = new Map<string, Triplet[]>()
      let left = limit
      for (const subject of subjects ?? Array.from(state.subjects.keys(), unescapeText)) {
        const triplets = walk(state, subject, { depth, limit: left })
        left -= triplets.length
        map.set(subject, triplets)
      }
      return map
    })
  }

  async upsertTriplet(subject: string, relation: string, object: string): Promise<void> {
    await this.upsertTriplets([[subject, relation, object]])
  }

  async upsertTriplets(triplets: readonly Triplet[]): Promise<void> {
    for (const triplet of triplets) checkTriplet(triplet)
    await this.change((state, append) =>
      append(tripletsAdded(triplets.filter((triplet) => !hasTriplet(state, triplet)))),
    )
  }

  /** Deleting an unknown triplet does nothing. */
  async delete(subject: string, relation: string, object: string): Promise<void> {
    await this.change((state, append) =>
      append(
        tripletsDeleted(
          [[subject, relation, object] as const].filter((triplet) => hasTriplet(state, triplet)),
        ),
      ),
    )
  }

  /** All of them, subject by subject. */
  async triplets(): Promise<Triplet[]> {
    return this.read((state) => [...allTriplets(state)])
  }
}

function checkTriplet([subject, relation, object]: Triplet): void {
  checkId(subject, 'subject')
  checkId(relation, 'relation')
  checkId(object, 'object')
}

function walk(
  state: GraphState,
  subject: string,
  { depth, limit }: { depth: number; limit: number },
): Triplet[] {
  if (depth <= 0) return []
  const found: Triplet[] = []
  for (const [relation, object] of pairsOf(state, subject)) {
    if (found.length >= limit) break
    found.push([subject, relation, object])
    found.push(...walk(state, object, { depth: depth - 1, limit: limit - found.length }))
  }
  return found
}

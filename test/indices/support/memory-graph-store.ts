// A graph store in a plain list, which can only do what the contract asks: one triplet a call.
import type { GraphStore, Triplet } from '../../../src/stores/contract.ts'

export class MemoryGraphStore implements GraphStore {
  triplets: Triplet[] = []

  async get(subject: string): Promise<[string, string][]> {
    return this.triplets
      .filter(([from]) => from === subject)
      .map(([, relation, object]) => [relation, object])
  }

  async getRelMap(
    subjects?: readonly string[],
    { depth = 2, limit = 30 } = {},
  ): Promise<Map<string, Triplet[]>> {
    const map = new Map<string, Triplet[]>()
    for (const subject of subjects ?? new Set(this.triplets.map(([from]) => from))) {
      map.set(subject, this.#walk(subject, depth).slice(0, limit))
    }
    return map
  }

  async upsertTriplet(...triplet: [string, string, string]): Promise<void> {
    await this.delete(...triplet)
    this.triplets.push(triplet)
  }

  async delete(...triplet: [string, string, string]): Promise<void> {
    this.triplets = this.triplets.filter((each) => each.join('\0') !== triplet.join('\0'))
  }

  #walk(subject: string, depth: number): Triplet[] {
    const own = depth > 0 ? this.triplets.filter(([from]) => from === subject) : []
    return own.flatMap((triplet) => [triplet, ...this.#walk(triplet[2], depth - 1)])
  }
}

import { afterAll, beforeAll, expect, test } from 'vitest'
import { addCounts, noCounts, printed, type Counts } from './explorer.ts'
import { ExplorerPool } from './explorer-pool.ts'
import { workloads } from './workloads.ts'

const seed = 1
/** A thousand thousands where there is time for them. */
const wanted = process.env['CI'] ? 1_000_000 : 200_000
const share = Math.ceil(wanted / workloads.length)
const total: Counts = { ...noCounts }
let pool: ExplorerPool

beforeAll(() => {
  pool = new ExplorerPool()
})

afterAll(() => {
  pool.close()
  console.log(`${printed(total)}. Others with npm run explore -- --states ${wanted} --seed ${seed + 1000}`)
})

for (const { name } of workloads) {
  test.concurrent(
    `a crash at any operation of "${name}" leaves what was promised`,
    { timeout: 1_800_000 },
    async () => {
      const counts = await pool.explore({ workload: name, seed, states: share })
      addCounts(total, counts)
      expect(counts.states).toBeGreaterThanOrEqual(share)
      expect(counts.resumed).toBeGreaterThan(0)
    },
  )
}

import { afterAll, expect, test } from 'vitest'
import { explore } from './explorer.ts'
import { workloads } from './workloads.ts'

const seed = 1
const total = { states: 0, crashes: 0 }

afterAll(() => {
  console.log(
    `seed ${seed}: ${total.states} states after ${total.crashes} crashes; more with npm run explore`,
  )
})

test.each(workloads)(
  'a crash at any operation of "$name" leaves what was promised',
  async (workload) => {
    const { states, crashes } = await explore(workload, { seed, images: 1, goOnEvery: 4, recoveryEvery: 40 })
    total.states += states
    total.crashes += crashes
    expect(states).toBeGreaterThan(50)
  },
  120_000,
)

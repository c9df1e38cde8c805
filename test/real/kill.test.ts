import { afterEach, expect, test } from 'vitest'
import { killAgainAndAgain } from './kill-run.ts'
import { endChildren } from './processes.ts'

afterEach(endChildren)

const times = process.env['CI'] ? 200 : 25
const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000)

test(
  'a writer that is killed at any instant has lost nothing that it acknowledged',
  { timeout: 30_000 + times * 5000 },
  async () => {
    console.log(`npm run kill -- --times ${times} --seed ${seed}`)
    const counts = await killAgainAndAgain({ times, seed })
    console.log(JSON.stringify(counts))
    expect(counts.kills).toBe(times)
    expect(counts.acknowledged).toBeGreaterThan(times)
  },
)

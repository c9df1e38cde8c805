/** Measures all contestants at one size. They take turns, A B A B, so that what else the machine does meets them all. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ContestantName } from './contestants.ts'
import { inFreshProcess } from './fresh-process.ts'
import { jobs, type Place, type Samples } from './jobs.ts'
import { dropPageCache, settleDisk } from './page-cache.ts'
import type { Measured, Results } from './table.ts'

interface Turns {
  nodes: number
  contestants: readonly ContestantName[]
  jobs: readonly string[]
  /** A folder for everyone's directories. */
  parent: string
  /** Instead of as often as each job says. */
  rounds: number | undefined
  profile: string | undefined
}

const phaseLimitMs = 180_000

export async function takeTurns(turns: Turns): Promise<Results> {
  const results: Results = {}
  for (const job of turns.jobs) results[job] = await measureJob(job, results, turns)
  rmSync(turns.parent, { recursive: true })
  return results
}

async function measureJob(job: string, results: Results, turns: Turns): Promise<Results[string]> {
  const measured: Results[string] = {}
  const rounds = Math.min(turns.rounds ?? Infinity, jobs[job]!.rounds)
  for (let round = 0; round < rounds; round++) {
    for (const name of turns.contestants) {
      const before = measured[name] ?? notFilled(results[jobs[job]!.in]?.[name])
      measured[name] =
        typeof before === 'string' ? before : joined(before, await runPhase(name, { ...turns, job, round }))
    }
  }
  return measured
}

/** Why there is no directory to work in. */
function notFilled(filling: Measured | undefined): string | undefined {
  return typeof filling === 'string' ? filling : undefined
}

function joined(before: Samples | undefined, now: Measured): Measured {
  if (before === undefined || typeof now === 'string') return now
  return Object.fromEntries(
    Object.entries(now).map(([figure, all]) => [figure, [...before[figure]!, ...all]]),
  )
}

async function runPhase(
  name: ContestantName,
  { job, round, ...turns }: Turns & { job: string; round: number },
): Promise<Measured> {
  const { in: filledBy, cold } = jobs[job]!
  const directory = join(turns.parent, name, filledBy)
  if (filledBy === job) rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  settleDisk()
  const notCold = cold ? dropPageCache() : undefined
  if (notCold !== undefined) return notCold
  console.error(`${turns.nodes} nodes: ${job} ${round + 1}, ${name} …`)
  const place: Place = { directory, nodes: turns.nodes, round }
  const answer = await inFreshProcess<Measured>({
    module: 'phase',
    args: [name, job, JSON.stringify(place)],
    profile: turns.profile,
    timeoutMs: phaseLimitMs,
  })
  return answer ?? `> ${phaseLimitMs / 1000} s`
}

/** One job of one contestant, in a process of its own: `phase.ts CONTESTANT JOB PLACE`. Sends its samples to the parent. */
import { mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Contestant } from './contestant.ts'
import { contestantNamed, type ContestantName } from './contestants.ts'
import { jobs, type Place, type Samples } from './jobs.ts'
import { timesOf } from './measure.ts'
import { nodeAt, nodeId, range, vectorAt } from './nodes.ts'

const warmUpMs = 2000

const [name, job, place] = process.argv.slice(2) as [ContestantName, string, string]
const answer = await answerOf(await contestantNamed(name), jobs[job]!, JSON.parse(place) as Place)
process.send?.(answer, () => process.disconnect())

async function answerOf(
  contestant: Contestant,
  job: (typeof jobs)[string],
  place: Place,
): Promise<Samples | string> {
  const lacks = await warmUp(contestant, job, dirname(place.directory))
  return lacks ?? (await job.run(contestant, place))
}

/**
 * In another directory, so that neither loading modules nor what they do once is measured. Who writes has written before: a process that inserts nodes
 * does so for longer than the compiler takes to notice. Answers `–` if it lacks a method.
 */
async function warmUp(
  contestant: Contestant,
  { needs }: (typeof jobs)[string],
  parent: string,
): Promise<string | undefined> {
  const directory = mkdtempSync(join(parent, 'warm-up-'))
  try {
    const store = await contestant.open(directory)
    const lacks = needs.some((method) => store[method] === undefined) ? '–' : undefined
    if (lacks === undefined) {
      await store.load?.([Array.from(range(0, 20), (at) => contestant.own(nodeAt(at)))])
      const puts = needs.includes('put') ? 500 : 5
      await timesOf(puts, (at) => store.put?.([contestant.own(nodeAt(20 + at))]), warmUpMs)
      await store.get?.(nodeId(7))
      await store.topTen?.(vectorAt(-1))
      await store.readAll?.()
      await store.delete?.([nodeId(8), nodeId(9)])
    }
    await store.close()
    return lacks
  } finally {
    rmSync(directory, { recursive: true })
  }
}

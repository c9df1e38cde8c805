import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { seededRandom } from '../support/seeded.ts'
import type { ContenderOrder } from './contender-child.ts'
import { smallShape } from './kill-variants.ts'
import { endChildren, startChild, type Child, type Report } from './processes.ts'
import { countCommits, lastCommit } from './reader.ts'
import { sleepExactly } from './sleep.ts'

const seed = Number(process.env['WRITERS_SEED'] ?? Date.now() % 1_000_000)
let directory: string

beforeEach(async () => (directory = await realpath(await mkdtemp(join(tmpdir(), 'varve-writers-')))))
afterEach(async () => {
  await endChildren()
  await rm(directory, { recursive: true, force: true })
})

test(
  'of two that write at once one does, a hundred times, and the other does when the first has closed',
  { timeout: 120_000 },
  async () => {
    console.log(`repeat with WRITERS_SEED=${seed} npm test -- test/real/two-writers`)
    const random = seededRandom(seed)
    const contenders = (await Promise.all([1, 2].map(() => startChild('contender-child.ts')))) as [
      Child,
      Child,
    ]
    const wins = [0, 0]
    let commits = 0
    for (let round = 0; round < 100; round++) {
      const two = random() < 0.5 ? contenders : contenders.toReversed()
      const answers = two.map((contender) => answerTo(contender, 'write', `round ${round}`))
      const [one, other] = await Promise.all([answers[0], answers[1]])
      const winner = contenders.findIndex((each) => each === two[one!.is === 'acknowledged' ? 0 : 1])
      wins[winner]!++
      const [won, lost] = one!.is === 'acknowledged' ? [one, other] : [other, one]
      expect(won).toMatchObject({ is: 'acknowledged', number: ++commits })
      expect(lost).toMatchObject({ is: 'failed', code: 'VARVE_LOCKED' })
      const isInsisting = round % 4 === 0
      const insisting = isInsisting
        ? answerTo(contenders[1 - winner]!, 'insist', `again ${round}`)
        : undefined
      await sleepExactly(random() * 3)
      await answerTo(contenders[winner]!, 'close', '')
      if (insisting) expect(await insisting).toMatchObject({ is: 'acknowledged', number: ++commits })
      await answerTo(contenders[1 - winner]!, 'close', '')
    }
    console.log(`wins: ${JSON.stringify(wins)}`)
    expect(await lastCommit(directory, smallShape)).toBe(commits)
    expect(await countCommits(directory)).toBe(commits)
  },
)

test(
  'of two that make a new directory at once one does, and the other is told',
  { timeout: 60_000 },
  async () => {
    const contenders = await Promise.all([1, 2].map(() => startChild('contender-child.ts')))
    for (let round = 0; round < 20; round++) {
      const place = join(directory, String(round), 'new')
      const answers = await Promise.all(
        contenders.map((contender, index) => answerTo(contender, 'write', `${index}`, place)),
      )
      expect(answers.filter(({ is }) => is === 'acknowledged')).toHaveLength(1)
      const refused = answers.find((report) => report.is === 'failed')
      expect(['VARVE_LOCKED', 'VARVE_DISPLACED']).toContain(refused?.code)
      for (const contender of contenders) await answerTo(contender, 'close', '', place)
      expect(await lastCommit(place, smallShape)).toBe(1)
    }
  },
)

async function answerTo(
  contender: Child,
  what: ContenderOrder['do'],
  actor: string,
  place = directory,
): Promise<Report> {
  contender.order({ do: what, directory: place, shape: smallShape, actor } satisfies ContenderOrder)
  const answers = (['acknowledged', 'failed', 'closed'] as const).map((is) => contender.until(is))
  return Promise.race(answers)
}

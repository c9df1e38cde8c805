/** Kills writers again and again, and looks each time at what they left: acknowledged <= recovered <= attempted, and all stores of one commit. */
import { ok, strictEqual } from 'node:assert'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VarveError } from '../../src/index.ts'
import { seededRandom, seedOf } from '../support/seeded.ts'
import { writeJsonDirectory } from './json-directory.ts'
import { killVariants, type KillVariant } from './kill-variants.ts'
import { startChild, type Child } from './processes.ts'
import { countCommits, lastCommit } from './reader.ts'
import { sleepExactly } from './sleep.ts'
import type { WriterOrder } from './writer-child.ts'
import { Writer } from './writer.ts'

export interface KillCounts {
  kills: number
  acknowledged: number
  /** A commit was asked for and not acknowledged: it was there afterwards, or not. */
  survivedUnacknowledged: number
  lostUnacknowledged: number
  /** Writers that were told of a torn end, or that the last one did not end in order. */
  torn: number
  directories: number
}

interface KillRequest {
  times: number
  seed: number
  /** Only those whose name holds this. */
  variant?: string | undefined
  onKill?: (line: string) => void
}

export async function killAgainAndAgain({
  times,
  seed,
  variant = '',
  onKill,
}: KillRequest): Promise<KillCounts> {
  const counts: KillCounts = {
    kills: 0,
    acknowledged: 0,
    survivedUnacknowledged: 0,
    lostUnacknowledged: 0,
    torn: 0,
    directories: 0,
  }
  const chosen = killVariants.filter(({ name }) => name.includes(variant))
  if (chosen.length === 0) throw new Error(`No variant is called '${variant}'.`)
  const top = await realpath(await mkdtemp(join(tmpdir(), 'varve-kill-')))
  const places = new Map(chosen.map((each) => [each, new Place(each, { top, counts })]))
  let next = startChild('writer-child.ts')
  try {
    for (let index = 0; index < times; index++) {
      const each = chosen[index % chosen.length]!
      const child = await next
      if (index + 1 < times) next = startChild('writer-child.ts')
      next.catch(() => {}) // It is awaited when its turn comes.
      const line = await places.get(each)!.killOnce(child, seedOf(seed, each.name, index))
      counts.kills++
      onKill?.(`${String(counts.kills).padStart(5)}  ${each.name}: ${line}`)
    }
    for (const place of places.values()) await place.end()
  } finally {
    await rm(top, { recursive: true, force: true })
  }
  return counts
}

interface Outcome {
  acknowledged: number
  recovered: number
  attempted: number
  torn: boolean
}

/** One variant, with the directory in which its writers follow each other. */
class Place {
  readonly #variant: KillVariant
  readonly #top: string
  readonly #counts: KillCounts
  #directory: string | undefined
  #jsonIsUntouched = async (): Promise<boolean> => true
  /** The commit found after the last kill. */
  #recovered = 0

  constructor(variant: KillVariant, { top, counts }: { top: string; counts: KillCounts }) {
    this.#variant = variant
    this.#top = top
    this.#counts = counts
  }

  async killOnce(child: Child, seed: number): Promise<string> {
    const random = seededRandom(seed)
    const directory = (this.#directory ??= await this.#begin())
    const { shape, mode, durability, fromJson } = this.#variant
    const actor = `writer ${this.#counts.kills + 1}`
    child.order({ directory, shape, actor, seed, durability, fromJson, mode } satisfies WriterOrder)
    const when = await this.#waitForTheInstant(child, random)
    await child.kill()
    const line = `${when}; ${await this.#check(child, directory)}`
    if (random() < 0.25) await this.#writeHere(directory, `tester ${this.#counts.kills + 1}`)
    if (this.#recovered >= this.#variant.commits) await this.end()
    return line
  }

  /** Looks at every commit there, and forgets the directory. */
  async end(): Promise<void> {
    if (this.#directory === undefined) return
    const [directory, recovered] = [this.#directory, this.#recovered]
    this.#directory = undefined
    this.#recovered = 0
    if (recovered > 0) strictEqual(await countCommits(directory), recovered)
    await rm(directory, { recursive: true })
  }

  async #begin(): Promise<string> {
    this.#counts.directories++
    const directory = join(this.#top, String(this.#counts.directories))
    if (this.#variant.fromJson)
      this.#jsonIsUntouched = await writeJsonDirectory(directory, this.#variant.shape)
    return directory
  }

  /** Anywhere; or while a commit is on its way; or while a session ends. */
  async #waitForTheInstant(child: Child, random: () => number): Promise<string> {
    const choice = random()
    const isSessions = this.#variant.mode === 'sessions'
    const waitFor = choice < 0.4 ? undefined : isSessions && choice < 0.75 ? 'closing' : 'attempted'
    const { withinMs, flightMs } = this.#variant
    await sleepExactly(random() * withinMs)
    if (!waitFor) return 'killed anywhere'
    await child.until(waitFor, child.reports.length)
    const ms = random() * flightMs
    await sleepExactly(ms)
    return `killed ${ms.toFixed(2)} ms after one was ${waitFor}`
  }

  async #check(child: Child, directory: string): Promise<string> {
    const began = child.numbers('began').at(0)
    if (began !== undefined)
      strictEqual(
        began,
        Math.max(this.#recovered, this.#variant.fromJson ? 1 : 0),
        'a writer began elsewhere',
      )
    const failed = child.reports.find((report) => report.is === 'failed')
    if (failed) throw new Error(`A writer failed: ${JSON.stringify(failed)}`)
    const torn = child.reports.some(
      (report) => report.is === 'warned' && report.warning.includes('unfinished'),
    )
    const recovered = await this.#look(directory)
    const acknowledged = Math.max(this.#recovered, ...child.numbers('acknowledged'))
    const attempted = Math.max(this.#recovered, ...child.numbers('attempted'))
    ok(acknowledged <= recovered, `lost: ${acknowledged} was acknowledged, ${recovered} is there`)
    // The first commit of a converted directory is asked for together with the second.
    ok(recovered <= attempted, `made up: ${attempted} was the last asked for, ${recovered} is there`)
    ok(await this.#jsonIsUntouched(), 'the JSON was touched')
    this.#count({ acknowledged, recovered, attempted, torn })
    return `acknowledged ${acknowledged}, recovered ${recovered}, attempted ${attempted}`
  }

  #count({ acknowledged, recovered, attempted, torn }: Outcome): void {
    this.#counts.acknowledged += acknowledged - this.#recovered
    this.#counts.survivedUnacknowledged += recovered - acknowledged
    this.#counts.lostUnacknowledged += attempted - recovered
    if (torn) this.#counts.torn++
    this.#recovered = recovered
  }

  /** As a reader: everything that is there is the state of its last commit. */
  async #look(directory: string): Promise<number> {
    const { shape, fromJson } = this.#variant
    try {
      return await lastCommit(directory, shape, { fromJson })
    } catch (error) {
      if (error instanceof VarveError && error.code === 'VARVE_NOT_FOUND' && !fromJson) return 0
      throw error
    }
  }

  /** As a writer: one commit more, all of which is there at once. */
  async #writeHere(directory: string, actor: string): Promise<void> {
    const { shape, durability, fromJson } = this.#variant
    const writer = await Writer.open(directory, { shape, durability, fromJson, actor })
    this.#recovered = await writer.commit()
    await writer.expectAll()
    await writer.close()
  }
}

/**
 * Crashes workloads before and after every operation on the disk, in every way a disk can end, and holds what
 * is recovered against the model: acknowledged ≤ recovered ≤ attempted, a prefix without holes, all of a
 * commit or nothing, in every store, payloads read. Then it goes on from there: one more commit, crashed in
 * its turn at every operation.
 */
import type { Image, MemoryDisk, Operation } from '../../src/disk/memory-disk.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import { filesUnder } from '../support/damage.ts'
import { seededBytes, seedOf } from '../support/seeded.ts'
import {
  cutOf,
  cutsUpTo,
  difference,
  directory,
  finishing,
  isUnfinished,
  traceless,
  type Expectation,
} from './model.ts'
import { Stage, type Workload } from './stage.ts'

export interface ExploreOptions {
  seed: number
  /** How many states there are to be. All moments of the first round are looked at, whatever this says. */
  states: number
  /** Images of each moment, instead of as many as it takes. */
  images?: number | undefined
  /** Only this one, to repeat a failure. */
  moment?: number | undefined
  fate?: string | undefined
  /** Told now and then. */
  onProgress?: (counts: Counts) => void
}

export interface Counts {
  /** Disks that differ from each other, each opened and read to its last byte. */
  states: number
  /** Disks that equal one of these: held against what was promised, but not opened again. */
  repeats: number
  /** Places where the power went or the process ended, while the workload ran. */
  crashes: number
  /** How often a writer went on from what it found. */
  resumed: number
}

export const noCounts: Readonly<Counts> = { states: 0, repeats: 0, crashes: 0, resumed: 0 }

export function addCounts(total: Counts, more: Counts): void {
  for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += more[key]
}

export function printed({ states, repeats, crashes, resumed }: Counts): string {
  return `${states} states, all different, and ${repeats} like one of them, after ${crashes} crashes; ${resumed} were gone on from`
}

/** A writer goes on from one state of so many, and of so many of these is crashed in its turn. */
const resumeEvery = 40
const crashAgainEvery = 5
/** One state of so many is opened twice. */
const openTwiceEvery = 16
/** A moment that shows nothing new so often in a row has nothing new to show. */
const enoughRepeats = 8
/** Images of each operation of a writer that goes on. */
const imagesOfRecovery = 6

/** Explores one workload, with one seed after another, until there are states enough. */
export async function explore(workload: Workload, options: ExploreOptions): Promise<Counts> {
  const counts = { ...noCounts }
  const isOne = options.moment !== undefined
  for (let seed = options.seed; seed === options.seed || (counts.states < options.states && !isOne); seed++) {
    const before = counts.states
    await new Round(workload, { ...options, seed, isFirst: seed === options.seed }, counts).run()
    if (counts.states === before) throw new Error(`${workload.name}, seed ${seed}: nothing new to see`)
  }
  return counts
}

/** What a crash at one moment finds. */
interface Moment {
  index: number
  at: string
  disk: MemoryDisk
  expectation: Expectation
}

interface State extends Image {
  expectation: Expectation
  /** Of chance in what is done with it. */
  seed: number
}

interface Known {
  commits: number
  expectation: Expectation
}

/** One life of a workload, and all the ways it could have been cut short. */
class Round {
  readonly #workload: Workload
  readonly #options: ExploreOptions & { isFirst: boolean }
  readonly #counts: Counts
  readonly #known = new Map<string, Known>()
  readonly #writing: Partial<JournalOptions>
  #stage!: Stage

  constructor(workload: Workload, options: ExploreOptions & { isFirst: boolean }, counts: Counts) {
    this.#workload = workload
    this.#options = options
    this.#counts = counts
    this.#writing = workload.options ?? {}
  }

  async run(): Promise<void> {
    const { seed, states, moment: only, fate, isFirst, onProgress } = this.#options
    const moments = await this.#moments()
    const images = this.#options.images ?? Math.max(8, Math.ceil((1.5 * states) / moments.length))
    for (const { index, at, disk, expectation } of moments) {
      if (only !== undefined && only !== index) continue
      if (!isFirst && this.#counts.states >= states) return
      this.#counts.crashes++
      const among = { most: images, seed: seedOf(seed, this.#workload.name, index), combinations: isFirst }
      let repeats = 0
      for (const image of disk.images(among)) {
        if (fate !== undefined && fate !== image.name) continue
        const { states: before } = this.#counts
        const state = { ...image, expectation, seed: seedOf(seed, this.#workload.name, index, image.name) }
        await this.#check(state).catch((error: Error) => {
          const repeat = `npm run explore -- --seed ${seed} --workload '${this.#workload.name}' --images ${images} --moment ${index} --fate ${image.name}`
          throw new Error(
            `${this.#workload.name}, seed ${seed}, ${at}, fate ${image.name}: ${error.message}\nRepeat: ${repeat}`,
            { cause: error },
          )
        })
        const isNew = this.#counts.states > before
        repeats = isNew || !image.name.startsWith('chance') ? 0 : repeats + 1
        if (repeats === enoughRepeats) break
      }
      onProgress?.(this.#counts)
    }
  }

  async #moments(): Promise<Moment[]> {
    const moments: Moment[] = []
    let version = 0
    let last: { disk: MemoryDisk; expectation: Expectation; version: number } | undefined
    const look = (stage: Stage, when: string, operation: Operation | undefined): void => {
      const { disk, expectation } = stage
      if (when === 'after') version++
      // Between an operation and the next the disk stays as it is: only another expectation makes it another
      // state.
      const now = { disk, expectation, version: version + stage.failures }
      if (last?.disk === disk && last.version === now.version && last.expectation === expectation) return
      last = now
      const at = operation
        ? `${when} operation ${operation.index} (${operation.kind} ${operation.path})`
        : when
      moments.push({ index: moments.length, at, expectation, disk: disk.snapshot() })
    }
    this.#stage = new Stage(this.#workload, seedOf(this.#options.seed, this.#workload.name), look)
    await this.#stage.play()
    look(this.#stage, 'at the end', undefined)
    this.#stage.end()
    return moments
  }

  async #check(state: State): Promise<void> {
    const isOnly = this.#options.fate !== undefined
    const commits = await this.#judge(state)
    if (!isOnly && (commits === undefined || state.seed % resumeEvery !== 0)) return
    const again = isOnly || Math.floor(state.seed / resumeEvery) % crashAgainEvery === 0
    await this.#resume(state, commits!, again)
  }

  /** Answers how many commits there are, unless the same was seen before. */
  async #judge(state: State): Promise<number | undefined> {
    const digest = state.disk.digest()
    const known = this.#known.get(digest)
    if (known && isSamePast(known, state.expectation)) {
      hold(known.commits, state)
      this.#counts.repeats++
      return undefined
    }
    const commits = await this.#look(state)
    this.#known.set(digest, { commits, expectation: state.expectation })
    this.#counts.states++
    return commits
  }

  /** Opens, reads everything, and writes nothing; answers how many commits there are. */
  async #look(state: State): Promise<number> {
    const { disk, expectation, seed } = state
    const operations = disk.operations
    const seen = await this.#stage.subject.look(disk)
    hold(seen.commits, state)
    const differs = difference(seen, expectation)
    if (differs !== undefined) throw new Error(differs)
    await mustBeTraceless(disk, traceless(expectation, seen.commits))
    if (seed % openTwiceEvery === 0) {
      const again = JSON.stringify(await this.#stage.subject.look(disk))
      if (again !== JSON.stringify(seen)) throw new Error(`the second look saw ${again}`)
    }
    if (disk.operations !== operations) throw new Error(`opening ${directory} wrote something`)
    return seen.commits
  }

  /** One more commit after what was recovered; it may be crashed at every operation, too. */
  async #resume({ disk, name, expectation, seed }: State, found: number, crashAgain: boolean): Promise<void> {
    this.#counts.resumed++
    const more = oneMore(expectation, found, seed)
    // What is read back after a mere kill is on this disk's caches only; a second crash may take it.
    let present = name === 'all' ? more : { ...more, acknowledged: found, durable: found }
    const crashes: { disk: MemoryDisk; expectation: Expectation; at: string; index: number }[] = []
    if (crashAgain) {
      disk.onOperation = ({ index, kind, path }) => {
        const at = `before operation ${index} (${kind} ${path})`
        crashes.push({ disk: disk.snapshot(), expectation: present, at, index })
      }
    }
    const options = { ...this.#writing, random: seededBytes(seed) }
    const player = await this.#stage.subject.open(disk, options)
    await player.put('docstore', { more: seed }, 600)
    await player.put('index_store', { more: 1 }, 10)
    const commit = await player.persist()
    if (commit !== more.cuts.length)
      throw new Error(`the next commit is ${commit} instead of ${more.cuts.length}`)
    if (options.durability === 'buffered') await player.flush()
    present = { ...more, acknowledged: commit, durable: commit }
    await player.close()
    disk.onOperation = undefined
    await this.#judge({ disk, name, expectation: present, seed })

    for (const { at, index, disk: crashed, expectation: then } of crashes) {
      for (const image of crashed.images({ most: imagesOfRecovery, seed: seedOf(seed, index) })) {
        await this.#judge({ ...image, expectation: then, seed }).catch((error: Error) => {
          throw new Error(`after recovery, crashed again ${at}, fate ${image.name}: ${error.message}`, {
            cause: error,
          })
        })
      }
    }
  }
}

/** Acknowledged ≤ recovered ≤ attempted; when the power went, synced ≤ recovered. */
export function hold(
  commits: number,
  { name, expectation: { acknowledged, durable, cuts } }: Pick<State, 'name' | 'expectation'>,
): void {
  const least = name === 'all' ? acknowledged : durable
  if (commits < least) throw new Error(`${commits} commits of ${least} promised ones are left`)
  if (commits > cuts.length) throw new Error(`${commits} commits are there, of ${cuts.length} attempted`)
}

/** Up to these commits both expect the same. */
function isSamePast({ commits, expectation: one }: Known, other: Expectation): boolean {
  const end = cutOf(one, commits)
  if (cutOf(other, commits) !== end) return false
  for (let index = 0; index < end; index++) if (one.changes[index] !== other.changes[index]) return false
  return true
}

/** After an erase has come to its end. */
export async function mustBeTraceless(disk: MemoryDisk, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return
  for (const path of await filesUnder(disk, directory)) {
    const bytes = Buffer.from(disk.peek(path))
    const trace = keys.find((key) => bytes.includes(key))
    if (trace !== undefined) throw new Error(`${path} holds a trace of ${trace}`)
  }
}

function oneMore(expectation: Expectation, commits: number, seed: number): Expectation {
  const kept = expectation.changes.slice(0, cutOf(expectation, commits))
  const completed = isUnfinished(kept) ? [...kept, finishing] : kept
  const known = cutsUpTo({ ...expectation, cuts: expectation.cuts.slice(0, commits) }, completed.length)
  const changes = [
    ...completed,
    { folder: 'docstore' as const, key: 'more', value: seed },
    { folder: 'index_store' as const, key: 'more', value: 1 },
  ]
  return {
    ...expectation,
    changes,
    cuts: cutsUpTo({ ...expectation, cuts: known }, changes.length),
    acknowledged: Math.min(expectation.acknowledged, commits),
    durable: Math.min(expectation.durable, commits),
  }
}

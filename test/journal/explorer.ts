/**
 * Crashes workloads before and after every operation on the disk, in every way a disk can end, and holds what
 * is recovered against the model: acknowledged ≤ recovered ≤ attempted, a prefix without holes, all of a
 * commit or nothing, in every store, payloads read. Then it goes on from there: one more commit, crashed in
 * its turn at every operation.
 */
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { type Fate, type Operation } from '../../src/disk/memory-disk.ts'
import type { JournalOptions } from '../../src/journal/journal-options.ts'
import { put } from '../support/toy-store.ts'
import { seededBytes, seededRandom, seedOf } from '../support/seeded.ts'
import { difference, directory, lastCommit, openJournal, type Expectation } from './model.ts'
import { Stage, type Workload } from './stage.ts'

export interface ExploreOptions {
  seed: number
  /** Images left to chance of each moment, besides "everything arrived" and "nothing unsynced arrived". */
  images: number
  /** After one state of so many, a writer goes on. */
  goOnEvery: number
  /** Of so many of these, one is crashed in its turn. */
  recoveryEvery: number
  /** Only this one, to repeat a failure. */
  moment?: number | undefined
  fate?: string | undefined
  /** Called after each state; what it throws ends the exploration. */
  onState?: (counts: Counts) => void
}

export interface Counts {
  states: number
  crashes: number
}

/** What a crash at one moment may leave. */
interface Moment {
  index: number
  at: string
  expectation: Expectation
  fates: { name: string; disk: MemoryDisk }[]
}

/** Runs one workload to its end and then checks every state that a crash on its way could have left. */
export async function explore(workload: Workload, options: ExploreOptions): Promise<Counts> {
  const counts: Counts = { states: 0, crashes: 0 }
  for (const moment of await momentsOf(workload, options)) {
    counts.crashes++
    for (const { name, disk } of moment.fates) {
      if (options.fate !== undefined && options.fate !== name) continue
      const { index, expectation } = moment
      const seed = seedOf(options.seed, workload.name, index, name)
      const state: State = { disk, expectation, fate: name, options: workload.options ?? {}, seed }
      try {
        const found = await checkRecovered(state)
        counts.states++
        const isOnly = options.fate !== undefined
        if (isOnly || seed % options.goOnEvery === 0) {
          const crashesToo = isOnly || Math.floor(seed / options.goOnEvery) % options.recoveryEvery === 0
          await goOn(state, found, crashesToo ? counts : undefined)
        }
      } catch (error) {
        const repeat = `npm run explore -- --seed ${options.seed} --workload '${workload.name}' --moment ${index} --fate ${name}`
        throw new Error(
          `${workload.name}, ${moment.at}, fate ${name}: ${(error as Error).message}\nRepeat: ${repeat}`,
          { cause: error },
        )
      }
      options.onState?.(counts)
    }
  }
  return counts
}

async function momentsOf(workload: Workload, options: ExploreOptions): Promise<Moment[]> {
  const { seed } = options
  const moments: Moment[] = []
  let index = 0
  let last: { disk: MemoryDisk; expectation: Expectation; operations: number } | undefined
  const look = (stage: Stage, when: string, operation: Operation | undefined): void => {
    const { disk, expectation } = stage
    // Between an operation and the next the disk stays as it is: only another expectation makes it another
    // state.
    const operations =
      operation === undefined ? disk.operations : operation.index + (when === 'after' ? 1 : 0)
    if (last?.disk === disk && last.operations === operations && last.expectation === expectation) return
    last = { disk, expectation, operations }
    const at = operation ? `${when} operation ${operation.index} (${operation.kind} ${operation.path})` : when
    const number = index++
    if (options.moment !== undefined && options.moment !== number) return
    moments.push({
      index: number,
      at,
      expectation,
      fates: fatesOf(disk, options.images, seedOf(seed, workload.name, number)),
    })
  }
  const stage = new Stage(workload, seedOf(seed, workload.name), look)
  await workload.run(stage)
  look(stage, 'at the end', undefined)
  return moments
}

function fatesOf(disk: MemoryDisk, images: number, seed: number): Moment['fates'] {
  const chances: [string, Fate][] = Array.from({ length: images }, (_, number) => [
    `chance-${number}`,
    seededRandom(seedOf(seed, number)),
  ])
  const fates: [string, Fate][] = [['all', 'all'], ['none', 'none'], ...chances]
  return fates.map(([name, fate]) => ({ name, disk: disk.image(fate) }))
}

interface State {
  disk: MemoryDisk
  expectation: Expectation
  fate: string
  options: Partial<JournalOptions>
  seed: number
}

/** One more commit after what was recovered; with counts, it is crashed at every operation, too. */
async function goOn(state: State, found: number, counts: Counts | undefined): Promise<void> {
  const { disk, expectation, options, seed } = state
  const more: Expectation = {
    changes: [
      ...expectation.changes.slice(0, expectation.cuts[found - 1] ?? 0),
      { folder: 'docstore', key: 'more', value: seed },
      { folder: 'index_store', key: 'more', value: 1 },
    ],
    cuts: [...expectation.cuts.slice(0, found), (expectation.cuts[found - 1] ?? 0) + 2],
    acknowledged: Math.min(expectation.acknowledged, found),
    durable: Math.min(expectation.durable, found),
  }
  // What is read back after a mere kill is on this disk's caches only; a second crash may take it.
  let present = state.fate === 'all' ? more : { ...more, acknowledged: found, durable: found }
  const crashes: { disk: MemoryDisk; expectation: Expectation; fate: string; at: string }[] = []
  if (counts) {
    disk.onOperation = ({ index, kind, path }) => {
      for (const fate of ['all', 'none', 'chance'] as const) {
        const random = seededRandom(seedOf(seed, index))
        crashes.push({
          disk: disk.image(fate === 'chance' ? random : fate),
          expectation: present,
          fate,
          at: `before operation ${index} (${kind} ${path})`,
        })
      }
    }
  }
  const journal = await openJournal(disk, { ...options, random: seededBytes(seed) })
  await put(journal, 'docstore', { more: seed }, 600)
  await put(journal, 'index_store', { more: 1 })
  const commit = await journal.persist()
  if (commit?.number !== found + 1)
    throw new Error(`the next commit is ${commit?.number} instead of ${found + 1}`)
  if (options.durability === 'buffered') await journal.flush()
  present = { ...more, acknowledged: found + 1, durable: found + 1 }
  await journal.close()
  disk.onOperation = undefined
  await checkRecovered({ ...state, expectation: present })

  for (const crash of crashes) {
    counts!.states++
    await checkRecovered({ ...state, ...crash }).catch((error: Error) => {
      throw new Error(`after recovery, crashed again ${crash.at}, fate ${crash.fate}: ${error.message}`, {
        cause: error,
      })
    })
  }
}

/** Opens twice, reads everything, and writes nothing; answers how many commits there are. */
async function checkRecovered({ disk, expectation, fate, options }: State): Promise<number> {
  const { acknowledged, durable, cuts } = expectation
  const operations = disk.operations
  const found = await lastCommit(disk)
  const least = fate === 'all' ? acknowledged : durable
  if (found < least) throw new Error(`${found} commits of ${least} promised ones are left`)
  if (found > cuts.length) throw new Error(`${found} commits are there, of ${cuts.length} attempted`)
  const journal = await openJournal(disk, options)
  const differs = await difference(journal, expectation, found)
  await journal.close()
  if (differs !== undefined) throw new Error(differs)
  if (disk.operations !== operations) throw new Error(`opening ${directory} wrote something`)
  return found
}

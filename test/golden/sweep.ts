/** Opens a golden directory after each damage, reads every value of it, and holds that against what was promised. */
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { ReadableFile } from '../../src/disk/disk.ts'
import { StorageContext, TextNode, VarveError } from '../../src/index.ts'
import { seedOf } from '../support/seeded.ts'
import { damaged, damages, type Damage, type DamageOptions, type Kind } from './damages.ts'
import type { Golden } from './golden.ts'
import { directory, type Files } from './stage.ts'
import { isSomethingLeft, mayEndAt, tracesIn, type Traces } from './traces.ts'
import { absent, readCommits, readValues, type ReadValues, type Values } from './values.ts'

/**
 * `dropped`: of the last group, which no mark speaks of, something is missing, as if it had never become durable; a writer is told so. `no trace`: the
 * same of commits that a mark spoke of, and that is gone with them.
 */
export type Outcome = 'identical' | 'error' | 'dropped' | 'no trace'
export type Counts = Partial<Record<Kind, Partial<Record<Outcome | 'writers', number>>>>

export interface Failure {
  golden: string
  damage: Damage
  what: string
}

export interface Swept {
  counts: Counts
  failures: Failure[]
}

export interface SweepOptions extends DamageOptions {
  /** Takes every n-th damage, from this one on. */
  shard?: { index: number; of: number }
  /** Only damages whose name holds this. */
  only?: string
  /** Told of each damage before it is tried. */
  onDamage?: (name: string) => void
  /** One of so many damaged directories is written to, too. */
  writerEvery?: number
}

export async function sweep(golden: Golden, all: readonly Golden[], options: SweepOptions): Promise<Swept> {
  const { shard = { index: 0, of: 1 }, only = '', onDamage = () => {}, writerEvery = 25 } = options
  const others = all.filter(({ name }) => name !== golden.name)
  const counts: Counts = {}
  const failures: Failure[] = []
  const count = (kind: Kind, what: Outcome | 'writers'): void => {
    const ofKind = (counts[kind] ??= {})
    ofKind[what] = (ofKind[what] ?? 0) + 1
  }
  const traces = await tracesIn(golden.files)
  let number = 0
  for (const damage of damages(golden, others, options)) {
    if (number++ % shard.of !== shard.index) continue
    const name = nameOf(golden.name, damage)
    if (!name.includes(only)) continue
    onDamage(name)
    try {
      const files = damaged(golden.files, damage)
      const chance = seedOf(options.seed, name)
      // A search takes longer than all the rest.
      const search = chance % 16 === 0
      const { outcome, left } = await inTime(() => judge({ ...golden, traces }, files, { damage, search }))
      count(damage.kind, outcome)
      const isWriting =
        outcome === 'dropped' || outcome === 'no trace' || chance % writerEvery === 0 || only !== ''
      if (!isWriting) continue
      await inTime(() => goOn({ ...golden, traces }, files, left))
      count(damage.kind, 'writers')
    } catch (error) {
      failures.push({ golden: golden.name, damage, what: (error as Error).stack ?? String(error) })
      if (failures.length >= 200) break
    }
  }
  return { counts, failures }
}

export function nameOf(golden: string, { kind, place }: Damage): string {
  return `${golden}: ${kind}: ${place}`
}

/** Nothing takes so long but what never ends. */
async function inTime<T>(work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It hangs.')), 10_000)
  })
  try {
    return await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}

interface Seen {
  opened: StorageContext | VarveError
  commits: string[] | VarveError
  values: ReadValues
}

interface Verdict {
  outcome: Outcome
  /** How many commits stand there; `undefined`: nobody can say. */
  left: number | undefined
}

/** A reader: what it may see. */
async function judge(
  golden: Golden & { traces: Traces },
  files: Files,
  { damage, search }: { damage: Damage; search: boolean },
): Promise<Verdict> {
  const disk = diskWith(files)
  const seen = await look(golden, disk, search)
  if (disk.operations > 0) throw new Error('A reader wrote.')
  const last = golden.commits.length
  const mayEnd = (commits: number): boolean => mayEndAt(commits, golden.traces, golden.files, files)
  if (seen.opened instanceof VarveError) {
    if (seen.opened.code === 'VARVE_NOT_FOUND' && mayEnd(0)) return { outcome: 'no trace', left: 0 }
    mustName(seen.opened, damage)
    return { outcome: 'error', left: undefined }
  }
  const left = seen.commits instanceof VarveError ? last : seen.commits.length
  if (left < last && !mayEnd(left))
    throw new Error(`Silently wrong: ${last - left} of ${last} commits are gone.`)
  if (!(seen.commits instanceof VarveError) && seen.commits.join() !== golden.commits.slice(0, left).join())
    throw new Error(`Silently wrong: the commits are ${seen.commits.join()}.`)
  const errors = compare(seen.values, golden.states.get(left)!, search)
  if (seen.commits instanceof VarveError) errors.push(seen.commits)
  for (const error of errors) mustName(error, damage)
  const outcome = errors.length > 0 ? 'error' : endOf(golden, left)
  const isCache = damage.changes.every(([path]) => path.startsWith('snapshots/'))
  if (isCache && outcome !== 'identical') throw new Error(`Damage to a cache did harm: ${errors[0]?.message}`)
  return { outcome, left: errors.length > 0 ? undefined : left }
}

function endOf({ commits: { length: last }, unmarked }: Golden, left: number): Outcome {
  if (left === last) return 'identical'
  return left >= last - unmarked ? 'dropped' : 'no trace'
}

/** A writer: what it was told, and what others find after it. */
async function goOn(
  golden: Golden & { traces: Traces },
  files: Files,
  left: number | undefined,
): Promise<void> {
  const disk = diskWith(files)
  const warnings: string[] = []
  const added = new TextNode({ id_: 'added', text: 'after the damage' })
  const commit = await onlyVarveErrors(async () => {
    await using storage = await openOn(disk, { onWarning: (warning) => warnings.push(warning) })
    await storage.docstore.addDocuments([added])
    return await storage.persist()
  })
  const { length: last } = golden.commits
  if (left !== undefined && commit instanceof VarveError && commit.code !== 'VARVE_LOCKED')
    throw new Error(`All can be read, but not written: ${commit.message}`)
  const isWarned = warnings.some((warning) => warning.includes('dropped'))
  const isIn = !(commit instanceof VarveError)
  const mustWarn =
    isIn && left !== undefined && left > 0 && left < last && isSomethingLeft(left, golden.traces, files)
  if (mustWarn && !isWarned) throw new Error(`Commit ${left + 1} was dropped without a word.`)
  const after = await look(golden, disk, false)
  if (after.opened instanceof VarveError) {
    if (isIn && left !== undefined) throw new Error(`Not to be read after writing: ${after.opened.message}`)
    return
  }
  if (after.commits instanceof VarveError) return
  const base = baseOf(after.commits, golden.commits, isIn)
  if (left === 0 && base === 0) return // A new journal.
  const state = golden.states.get(base)
  if (!state || (left !== undefined && base !== left))
    throw new Error(`${base} commits before the one that was added.`)
  const changed = new Set(['nodes', 'hashes', 'vector stores'])
  const values = new Map([...after.values].filter(([place]) => !changed.has(place)))
  const errors = compare(values, new Map([...state].filter(([place]) => !changed.has(place))))
  if (left !== undefined && errors.length > 0)
    throw new Error(`Not to be read after writing: ${errors[0]!.message}`)
}

/** Without what the writer made: its commit, and the end of an erase that it found without one. */
function baseOf(after: readonly string[], golden: readonly string[], isIn: boolean): number {
  const found = isIn ? after.slice(0, -1) : after
  const last = found.at(-1)
  const isEnd = last !== undefined && last !== golden[found.length - 1] && last.includes('"erase finished"')
  return found.length - (isEnd ? 1 : 0)
}

async function look(golden: Golden, disk: MemoryDisk, search: boolean): Promise<Seen> {
  const opened = await onlyVarveErrors(() => openOn(disk, { readOnly: true }))
  if (opened instanceof VarveError) return { opened, commits: opened, values: new Map() }
  const values = await readValues(opened, golden.keys, { search })
  const commits = await onlyVarveErrors(() => readCommits(opened))
  await opened.close()
  return { opened, commits, values }
}

function openOn(
  disk: MemoryDisk,
  options: { readOnly?: boolean; onWarning?: (warning: string) => void },
): Promise<StorageContext> {
  return StorageContext.fromDefaults({ persistDir: directory, disk, onWarning: () => {}, ...options })
}

async function onlyVarveErrors<T>(work: () => Promise<T>): Promise<T | VarveError> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof VarveError) return error
    throw error
  }
}

/** Answers the errors among the values; the others must be as expected. */
function compare(seen: ReadValues, expected: Values, search = false): VarveError[] {
  const errors: VarveError[] = []
  for (const [place, value] of seen) {
    const wanted = expected.get(place) ?? absent
    if (value instanceof VarveError) errors.push(value)
    else if (value instanceof Error) throw new Error(`Reading ${place}: ${value.stack}`)
    else if (value !== wanted && !isEmptyLook(value, wanted))
      throw new Error(`Silently wrong: ${place} is ${value} instead of ${wanted}.`)
  }
  if (errors.length > 0) return errors
  for (const [place, wanted] of expected)
    if (
      !seen.has(place) &&
      (search || !place.startsWith('hits in ')) &&
      wanted !== absent &&
      !isEmptyLook(absent, wanted)
    )
      throw new Error(`Silently wrong: ${place} is gone.`)
  return errors
}

/** A store that never was and one with nothing in it are the same. */
function isEmptyLook(value: string, wanted: string): boolean {
  return (wanted === absent && empty.has(value)) || (value === absent && empty.has(wanted))
}

const empty = new Set(['[]', '{"$map":[]}', '{"ids":[],"similarities":[]}'])

/** An error about damage tells where it is. */
function mustName(error: VarveError, { changes }: Damage): void {
  const { path, store } = error.fields
  const named =
    typeof path === 'string' ? path : typeof store === 'string' ? `${directory}/${store}` : undefined
  if (named === undefined) throw new Error(`It names no place: ${error.message}`, { cause: error })
  const isHit = changes.some(([hit]) => `${directory}/${hit}`.startsWith(named))
  const isCommitLog = named.includes('/commits') // It is short of commits that others know of.
  if (!isHit && !isCommitLog) throw new Error(`It names another place: ${error.message}`, { cause: error })
}

/** Reads of more than a file can hold are refused: nothing is allocated because a damaged length says so. */
class BoundedDisk extends MemoryDisk {
  override async openToRead(path: string): Promise<ReadableFile> {
    const file = await super.openToRead(path)
    const mustBeBounded = (length: number): void => {
      if (length > 1024 * 1024) throw new Error(`A read of ${length} bytes of ${path}.`)
    }
    return {
      size: () => file.size(),
      read(offset, length) {
        mustBeBounded(length)
        return file.read(offset, length)
      },
      readNow(offset, length) {
        mustBeBounded(length)
        return file.readNow(offset, length)
      },
      close: () => file.close(),
    }
  }
}

function diskWith(files: Files): MemoryDisk {
  const disk = new BoundedDisk({ machine: { bootId: 'after the damage' } })
  for (const [path, bytes] of files) disk.put(`${directory}/${path}`, bytes)
  return disk
}

export function add(total: Counts, more: Counts): void {
  for (const [kind, outcomes] of Object.entries(more) as [Kind, NonNullable<Counts[Kind]>][]) {
    const ofKind = (total[kind] ??= {})
    for (const [what, count] of Object.entries(outcomes) as [Outcome | 'writers', number][])
      ofKind[what] = (ofKind[what] ?? 0) + count
  }
}

export function table(counts: Counts): string {
  const columns = ['identical', 'error', 'dropped', 'no trace', 'writers'] as const
  const line = (name: string, cells: readonly (string | number)[]): string =>
    name.padEnd(20) + cells.map((cell) => String(cell).padStart(11)).join('')
  const rows = Object.entries(counts).map(
    ([kind, of]) => [kind, columns.map((column) => of[column] ?? 0)] as const,
  )
  const sums = columns.map((_, at) => rows.reduce((sum, [, cells]) => sum + cells[at]!, 0))
  return [line('', columns), ...rows.map(([kind, cells]) => line(kind, cells)), line('all', sums)].join('\n')
}

/**
 * Reads every byte of a journal once and keeps what verifying and repairing both ask for: which commits count, what is damaged, and which parts are to be
 * trusted. It takes no lock, writes nothing, and works beside a living writer.
 */
import { catalogSubject } from '../journal/snapshot.ts'
import { touchedSubject } from '../journal/touched-index.ts'
import { commitsFolder, erasuresFolder, joinPath, segmentName } from '../log/names.ts'
import type { Part } from '../log/part.ts'
import { CatalogReplay } from './catalog-replay.ts'
import type { LogCommit } from './commit-log.ts'
import { addRange } from './commit-ranges.ts'
import { DamageList } from './damage-list.ts'
import { learnErasures } from './erasing-commits.ts'
import { inspectStores } from './inspect-stores.ts'
import type { JournalPlace } from './journal-place.ts'
import { promisedDespite, surveyJournal, type JournalSurvey, type TornEnd } from './journal-survey.ts'
import { scanPart } from './part-scan.ts'
import type { SegmentReader } from './segment-reader.ts'
import { SnapshotCheck, type AskedSnapshot } from './snapshot-check.ts'
import type { PartFindings, StoreFindings, StoreTask } from './store-inspection.ts'
import type { TornReport, VerifiedErasure, VerifiedSnapshot, VerifiedStore } from './verify-report.ts'

export interface InspectionOptions {
  onProgress?: (progress: InspectionProgress) => void
  signal?: AbortSignal
}

export interface InspectionProgress {
  bytes: number
  totalBytes: number
  /** Of a repair. */
  phase?: 'writing' | 'reading back'
}

/** What was found in the parts of a commit, in its order. */
type CommitFindings = { part: Part; found: PartFindings }[]

export class Inspection {
  /** Those that count. */
  commits: LogCommit[] = []
  torn: TornReport | undefined
  readonly damages = new DamageList()
  readonly stores = new Map<string, VerifiedStore>()
  /** Parts that hold nothing that can be carried anywhere. */
  readonly untrusted = new Set<Part>()
  snapshots: VerifiedSnapshot[] = []
  readonly erasures: VerifiedErasure[] = []
  readonly #reader: SegmentReader
  readonly #options: InspectionOptions
  #survey!: JournalSurvey

  constructor(reader: SegmentReader, options: InspectionOptions) {
    this.#reader = reader
    this.#options = options
  }

  /** Of the commit log and the parts that count. */
  get bytes(): number {
    return this.#logBytes + sizeOf(this.commits)
  }

  get logSegments(): ReadonlyMap<number, number> {
    return this.#survey.segments
  }

  get #logBytes(): number {
    return [...this.#survey.segments.values()].reduce((sum, end) => sum + end, 0)
  }

  async run({ manifestFault }: Pick<JournalPlace, 'manifestFault'>): Promise<this> {
    this.#survey = await surveyJournal(this.#reader, this.#options.signal)
    const { faults, torn } = this.#survey
    const erasing = await this.#erasingCommits()
    await learnErasures(this.#reader, erasing)
    const asked = this.#askedSnapshots()
    const { tasks, others } = tasksOf(this.#survey.commits, asked)
    const found = await this.#inspect(tasks, erasing)
    const cut = (await this.#judgeCommits(found)) ?? torn
    if (cut) this.torn = this.#tornReport(cut)
    if (manifestFault !== undefined) this.damages.manifest(manifestFault)
    for (const fault of faults) this.damages.chain(fault, this.commits)
    for (const { lost } of faults)
      if (lost) for (const store of this.stores.values()) this.#damage(store, lost)
    const snapshots = Array.from(found.values()).flatMap((findings) => findings.snapshots)
    this.#noteSnapshots(asked, [...snapshots, ...(await this.#checkOthers(others))])
    this.#settleStores()
    return this
  }

  /** Those that erased anything; up to one that may be torn, and is. */
  async #erasingCommits(): Promise<LogCommit[]> {
    const { commits, syncedThrough } = this.#survey
    const erasing: LogCommit[] = []
    for (const commit of commits.filter(({ parts }) =>
      parts.some(({ folder }) => folder === erasuresFolder),
    )) {
      const isWhole = commit.number <= syncedThrough || (await this.#isWhole(commit.parts))
      if (!isWhole && !(await this.#isPromised(commit))) break
      erasing.push(commit)
    }
    return erasing
  }

  /** Of a commit that is not whole: it was durable, so that is damage. */
  async #isPromised({ number }: LogCommit): Promise<boolean> {
    return number <= (await promisedDespite(number, this.#reader, this.#survey))
  }

  async #isWhole(parts: readonly Part[]): Promise<boolean> {
    for (const part of parts)
      if ((await scanPart(this.#reader, part, () => {})).faults.length > 0) return false
    return true
  }

  /** The oldest first. */
  #askedSnapshots(): AskedSnapshot[] {
    const { commits, snapshots } = this.#survey
    const hashes = new Map(commits.map(({ number, hash }) => [number, hash]))
    const behindLoss = commits.find(({ number }, index) => number !== index + 1)?.number ?? Infinity
    return snapshots
      .toSorted((a, b) => a.commit - b.commit)
      .map(({ commit, subject }) => ({
        commit,
        subject,
        hash: hashes.get(commit),
        isBehindLoss: commit >= behindLoss,
      }))
  }

  async #inspect(
    tasks: readonly StoreTask[],
    erasing: readonly LogCommit[],
  ): Promise<Map<string, StoreFindings>> {
    const { onProgress, signal } = this.#options
    const totalBytes = this.#logBytes + sizeOf(this.#survey.commits)
    let bytes = this.#logBytes
    const onBytes = (more: number): void => onProgress?.({ bytes: (bytes += more), totalBytes })
    return inspectStores(this.#reader, tasks, { erasing, onBytes, signal })
  }

  /** Answers where the first commit begins that is torn since its parts are not there. */
  async #judgeCommits(findings: ReadonlyMap<string, StoreFindings>): Promise<TornEnd | undefined> {
    const { commits, torn } = this.#survey
    const next = new Map(Array.from(findings, ([folder, { parts }]) => [folder, parts.values()]))
    for (const [index, commit] of commits.entries()) {
      const here = commit.parts.map((part) => ({ part, found: next.get(part.folder)!.next().value! }))
      const fault = tearIn(here)
      if (fault !== undefined && !(await this.#isPromised(commit))) {
        const { segment, offset } = commit
        return { segment, offset, fault, commits: commits.length - index + (torn?.commits ?? 0) }
      }
      this.commits.push(commit)
      for (const [folder, name] of Object.entries(commit.names)) this.#store(folder).name = name
      for (const { part, found } of here) this.#noteErased(part, commit.number, found)
      for (const { part, found } of here) this.#note(part, commit.number, found)
    }
    return undefined
  }

  #noteErased({ folder, segment }: Part, commit: number, { erased }: PartFindings): void {
    const { unfinished } = this.#reader.files.erasures
    for (const [erasedBy, { items, left }] of erased) {
      let found = this.erasures.find((erasure) => erasure.commit === erasedBy)
      if (!found) {
        found = { commit: erasedBy, items: 0, left: 0, isFinished: !unfinished.has(erasedBy) }
        this.erasures.push(found)
      }
      found.items += items
      found.left += left.length
      if (found.isFinished)
        for (const place of left) this.damages.returned({ folder, segment, ...place }, { commit, erasedBy })
    }
  }

  #note(part: Part, commit: number, found: PartFindings): void {
    const { trusted, noBytes, faults, frames, items, segmentFault } = found
    const store = this.#store(part.folder)
    store.frames += frames
    store.items += items
    store.bytes += part.to - part.from
    if (!trusted) this.untrusted.add(part)
    if (segmentFault || noBytes) {
      const cut = { kind: 'damaged' as const, fault: faults[0]?.fault ?? '' }
      this.damages.segment(part, commit, {
        ...(segmentFault ?? cut),
        offset: segmentFault ? 0 : part.from,
        isLost: noBytes,
      })
    }
    for (const partFault of noBytes ? [] : faults) {
      if (!trusted && partFault === faults.at(-1)) this.damages.untrusted(part, commit, partFault)
      else this.damages.part(part, commit, partFault)
    }
    if (segmentFault || faults.length > 0) this.#damage(store, [commit, commit])
  }

  /** Of the catalog, and of what no commit knows. */
  async #checkOthers(others: readonly AskedSnapshot[]): Promise<VerifiedSnapshot[]> {
    const catalog = new CatalogReplay()
    const check = new SnapshotCheck(this.#reader.files, others, ({ subject }, sections) =>
      subject === catalogSubject ? catalog.stateOf(sections) : 'not compared',
    )
    for (const commit of this.commits) {
      if (check.isDue(commit.number)) await check.before(commit.number)
      catalog.apply(commit)
    }
    await check.before(Infinity)
    return check.found
  }

  #noteSnapshots(asked: readonly AskedSnapshot[], found: readonly VerifiedSnapshot[]): void {
    const key = ({ commit, subject }: { commit: number; subject: string }): string => `${commit} ${subject}`
    const states = new Map(found.map((snapshot) => [key(snapshot), snapshot]))
    for (const snapshot of asked.map((each) => states.get(key(each)))) {
      if (!snapshot) continue
      this.snapshots.push(snapshot)
      if (snapshot.state === 'differs') this.damages.snapshot(snapshot)
    }
  }

  #store(folder: string): VerifiedStore {
    let store = this.stores.get(folder)
    if (!store) {
      store = { folder, frames: 0, items: 0, bytes: 0, damagedCommits: [], safeThrough: 0 }
      this.stores.set(folder, store)
    }
    return store
  }

  #damage(store: VerifiedStore, commits: [number, number]): void {
    store.damagedCommits.push([...commits])
  }

  #settleStores(): void {
    const last = this.commits.at(-1)?.number ?? 0
    for (const store of this.stores.values()) {
      const ranges = store.damagedCommits.toSorted(([a], [b]) => a - b)
      store.damagedCommits = []
      for (const range of ranges) addRange(store.damagedCommits, range)
      store.safeThrough = (store.damagedCommits[0]?.[0] ?? last + 1) - 1
    }
  }

  #tornReport({ segment, offset, fault, commits }: TornEnd): TornReport | undefined {
    let bytes = 0
    for (const [number, end] of this.#survey.segments) {
      if (number === segment) bytes += Math.max(0, end - offset)
      if (number > segment) bytes += end
    }
    const path = joinPath(commitsFolder, segmentName(segment))
    return bytes > 0 || commits > 0 ? { commits, bytes, path, offset, fault } : undefined
  }
}

function tasksOf(
  commits: readonly LogCommit[],
  asked: readonly AskedSnapshot[],
): { tasks: StoreTask[]; others: AskedSnapshot[] } {
  const tasks = new Map<string, StoreTask>()
  for (const { number, parts } of commits)
    for (const part of parts) {
      const task = tasks.get(part.folder) ?? { folder: part.folder, parts: [], snapshots: [] }
      tasks.set(part.folder, task)
      task.parts.push({ commit: number, part })
    }
  const bySubject = new Map<string, AskedSnapshot[]>()
  for (const { folder, snapshots } of tasks.values())
    bySubject.set(folder, snapshots).set(touchedSubject(folder), snapshots)
  const others: AskedSnapshot[] = []
  for (const snapshot of asked) (bySubject.get(snapshot.subject) ?? others).push(snapshot)
  return { tasks: [...tasks.values()], others }
}

function tearIn(findings: CommitFindings): string | undefined {
  for (const { part, found } of findings) {
    const fault = found.faults[0]?.fault ?? found.segmentFault?.fault
    if (fault !== undefined) return `${joinPath(part.folder, segmentName(part.segment))}: ${fault}`
  }
  return undefined
}

function sizeOf(commits: readonly LogCommit[]): number {
  return commits.reduce(
    (sum, { parts }) => sum + parts.reduce((size, { from, to }) => size + to - from, 0),
    0,
  )
}

/**
 * Reads every byte of a journal once and keeps what verifying and repairing both ask for: which commits count, what is damaged, and which parts are to be
 * trusted. It takes no lock, writes nothing, and works beside a living writer.
 */
import { erasureKind, tellingOf, type Telling } from '../journal/erasure-events.ts'
import { toEvent } from '../journal/read-events.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { commitsFolder, erasuresFolder, joinPath, segmentName } from '../log/names.ts'
import type { Part } from '../log/part.ts'
import type { LogCommit } from './commit-log.ts'
import { addRange } from './commit-ranges.ts'
import { DamageList } from './damage-list.ts'
import { toReadFrame, type ScannedFrame } from './frame-scan.ts'
import type { JournalPlace } from './journal-place.ts'
import { surveyJournal, type JournalSurvey, type TornEnd } from './journal-survey.ts'
import { scanPart, type PartScan } from './part-scan.ts'
import type { SegmentReader } from './segment-reader.ts'
import { SnapshotCheck } from './snapshot-check.ts'
import type { TornReport, VerifiedErasure, VerifiedStore } from './verify-report.ts'

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

type TalliedScan = PartScan & { tally: Pick<VerifiedStore, 'frames' | 'items' | 'bytes'> }

export class Inspection {
  /** Those that count. */
  commits: LogCommit[] = []
  torn: TornReport | undefined
  readonly damages = new DamageList()
  readonly stores = new Map<string, VerifiedStore>()
  /** Parts that hold nothing that can be carried anywhere. */
  readonly untrusted = new Set<Part>()
  readonly snapshots: SnapshotCheck['found'] = []
  readonly erasures: VerifiedErasure[] = []
  readonly #reader: SegmentReader
  readonly #options: InspectionOptions
  #survey!: JournalSurvey
  #check!: SnapshotCheck
  #bytes = 0
  #totalBytes = 0

  constructor(reader: SegmentReader, options: InspectionOptions) {
    this.#reader = reader
    this.#options = options
  }

  /** Of the commit log and the parts that count. */
  get bytes(): number {
    const log = [...this.#survey.segments.values()].reduce((sum, end) => sum + end, 0)
    return log + sizeOf(this.commits)
  }

  get logSegments(): ReadonlyMap<number, number> {
    return this.#survey.segments
  }

  async run({ manifestFault }: Pick<JournalPlace, 'manifestFault'>): Promise<this> {
    const { signal } = this.#options
    this.#survey = await surveyJournal(this.#reader, signal)
    const { commits, faults, snapshots, torn } = this.#survey
    this.#check = new SnapshotCheck(this.#reader.files, snapshots, kindOf)
    this.#bytes = [...this.#survey.segments.values()].reduce((sum, end) => sum + end, 0)
    this.#totalBytes = this.#bytes + sizeOf(commits)
    await this.#learnErasures()
    const cut = (await this.#inspectCommits()) ?? torn
    if (cut) this.torn = this.#tornReport(cut)
    if (manifestFault !== undefined) this.damages.manifest(manifestFault)
    for (const fault of faults) this.damages.chain(fault, this.commits)
    for (const { lost } of faults)
      if (lost) for (const store of this.stores.values()) this.#damage(store, lost)
    await this.#check.finish()
    this.snapshots.push(...this.#check.found)
    for (const snapshot of this.snapshots) if (snapshot.state === 'differs') this.damages.snapshot(snapshot)
    this.#settleStores()
    return this
  }

  /** Answers where the first commit begins that is torn since its parts are not there. */
  async #inspectCommits(): Promise<TornEnd | undefined> {
    const { commits, syncedThrough, torn } = this.#survey
    for (const [index, commit] of commits.entries()) {
      if (commit.number !== index + 1) this.#check.giveUpAll()
      const fault = await this.#inspectCommit(commit, { mayBeTorn: commit.number > syncedThrough })
      if (fault !== undefined) {
        const { segment, offset } = commit
        return { segment, offset, fault, commits: commits.length - index + (torn?.commits ?? 0) }
      }
      this.commits.push(commit)
      await this.#check.commitDone(commit)
    }
    return undefined
  }

  async #inspectCommit(
    commit: LogCommit,
    { mayBeTorn }: { mayBeTorn: boolean },
  ): Promise<string | undefined> {
    const scans: { part: Part; scan: TalliedScan }[] = []
    for (const part of commit.parts) {
      const scan = await this.#inspectPart(part, commit.number)
      scans.push({ part, scan })
      const fault = scan.faults[0]?.fault ?? (await this.#reader.open(part.folder, part.segment)).fault?.fault
      if (mayBeTorn && fault !== undefined)
        return `${joinPath(part.folder, segmentName(part.segment))}: ${fault}`
    }
    for (const [folder, name] of Object.entries(commit.names)) this.#store(folder).name = name
    for (const { part, scan } of scans) await this.#note(part, commit.number, scan)
    return undefined
  }

  async #inspectPart(part: Part, commit: number): Promise<TalliedScan> {
    const tally = { frames: 0, items: 0, bytes: part.to - part.from }
    const scan = await scanPart(this.#reader, part, (frame) => {
      this.#options.signal?.throwIfAborted()
      tally.frames++
      tally.items += frame.items.length
      this.#check.apply(part.folder, part.segment, frame)
      this.#noteErased(part, commit, frame)
      this.#options.onProgress?.({ bytes: (this.#bytes += frame.sizeBytes), totalBytes: this.#totalBytes })
    })
    const isFoldable = scan.trusted && scan.faults.every(({ item }) => item !== undefined)
    if (!isFoldable) this.#check.giveUp(part.folder)
    return { ...scan, tally }
  }

  /** Of all commits, before any of their parts is judged. A commit that is torn, or whose own part is damaged, explains nothing. */
  async #learnErasures(): Promise<void> {
    const { erasures } = this.#reader.files
    const { commits, syncedThrough } = this.#survey
    for (const { number, parts } of commits) {
      const own = parts.filter(({ folder }) => folder === erasuresFolder)
      if (number > syncedThrough && own.length > 0 && !(await this.#isWhole(parts))) return
      for (const part of own) for (const tell of await this.#tellingsOf(part, number)) tell(erasures)
    }
  }

  async #isWhole(parts: readonly Part[]): Promise<boolean> {
    for (const part of parts)
      if ((await scanPart(this.#reader, part, () => {})).faults.length > 0) return false
    return true
  }

  async #tellingsOf(part: Part, commit: number): Promise<Telling[]> {
    const tellings: Telling[] = []
    const { trusted } = await scanPart(this.#reader, part, (frame) => {
      const place = { store: part.folder, segment: part.segment, offset: frame.offset, commit }
      const whole = frame.items.filter((item) => item.whole)
      const { type, items } = toEvent(erasureKind, toReadFrame({ ...frame, items: whole }), place)
      for (const { row } of items) tellings.push(tellingOf(type, row, commit))
    })
    return trusted ? tellings : []
  }

  #noteErased({ folder, segment }: Part, commit: number, frame: ScannedFrame): void {
    const { unfinished } = this.#reader.files.erasures
    for (const [item, { erased }] of frame.items.entries()) {
      if (!erased) continue
      let found = this.erasures.find((erasure) => erasure.commit === erased.by)
      if (!found) {
        found = { commit: erased.by, items: 0, left: 0, isFinished: !unfinished.has(erased.by) }
        this.erasures.push(found)
      }
      found.items++
      if (erased.isGone) continue
      found.left++
      const place = { folder, segment, offset: frame.offset, item }
      if (found.isFinished) this.damages.returned(place, { commit, erasedBy: erased.by })
    }
  }

  async #note(part: Part, commit: number, { trusted, noBytes, faults, tally }: TalliedScan): Promise<void> {
    const store = this.#store(part.folder)
    store.frames += tally.frames
    store.items += tally.items
    store.bytes += tally.bytes
    if (!trusted) this.untrusted.add(part)
    const { fault } = await this.#reader.open(part.folder, part.segment)
    if (fault || noBytes) {
      const cut = { kind: 'damaged' as const, fault: faults[0]?.fault ?? '' }
      this.damages.segment(part, commit, {
        ...(fault ?? cut),
        offset: fault ? 0 : part.from,
        isLost: noBytes,
      })
    }
    for (const partFault of noBytes ? [] : faults) {
      if (!trusted && partFault === faults.at(-1)) this.damages.untrusted(part, commit, partFault)
      else this.damages.part(part, commit, partFault)
    }
    if (fault || faults.length > 0) this.#damage(store, [commit, commit])
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

function sizeOf(commits: readonly LogCommit[]): number {
  return commits.reduce(
    (sum, { parts }) => sum + parts.reduce((size, { from, to }) => size + to - from, 0),
    0,
  )
}

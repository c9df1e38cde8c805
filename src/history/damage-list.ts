/** Collects damages, each at its place, and says what follows from each. */
import { commitsFolder, joinPath, manifestName, segmentName } from '../log/names.ts'
import type { Part } from '../log/part.ts'
import type { SegmentFault } from '../log/segment.ts'
import type { ChainFault } from './commit-chain.ts'
import { addRange, capitalized, nameCommits } from './commit-ranges.ts'
import type { LogCommit } from './commit-log.ts'
import type { PartFault } from './part-scan.ts'
import type { CommitRange, Damage, VerifiedSnapshot } from './verify-report.ts'

const mayRefuse = 'opening may refuse the journal'

export class DamageList {
  readonly all: Damage[] = []
  readonly #segments = new Map<string, Damage>()

  manifest(fault: string): void {
    const follows = `No commit is lost by it, but ${mayRefuse}.`
    this.all.push({ kind: 'manifest', path: manifestName, commits: [], fault, follows })
  }

  chain({ segment, offset, fault, at, lost, noteOf }: ChainFault, commits: readonly LogCommit[]): void {
    const place = {
      path: joinPath(commitsFolder, segmentName(segment)),
      store: commitsFolder,
      segment,
      offset,
    }
    if (noteOf !== undefined) {
      const isLost = commits.find(({ number }) => number === noteOf)?.noteLost ?? false
      const note = isLost
        ? `Message, actor and metadata of commit ${noteOf} are lost; what it changed is not`
        : 'Nothing is lost by it'
      const follows = `${note}, but ${mayRefuse}.`
      this.all.push({ kind: 'note', ...place, commits: [[noteOf, noteOf]], fault, follows })
      return
    }
    const follows = lost
      ? lossOf(lost, commits)
      : `No commit is lost by it, but ${mayRefuse}${at === 0 ? '' : ` from commit ${at} on`}.`
    this.all.push({ kind: 'commits', ...place, commits: lost ? [lost] : [], fault, follows })
  }

  /** The header of a segment, or all of the segment from an offset on; named once, with all commits that it concerns. */
  segment(
    { folder, segment }: Part,
    commit: number,
    { fault, offset, isLost }: SegmentFault & { offset: number; isLost: boolean },
  ): void {
    const path = joinPath(folder, segmentName(segment))
    const known = this.#segments.get(path)
    if (known) addRange(known.commits, [commit, commit])
    const damage: Damage = known ?? {
      kind: 'segment',
      path,
      store: folder,
      segment,
      offset,
      commits: [[commit, commit]],
      fault,
      follows: '',
    }
    damage.follows = isLost
      ? `What ${nameCommits(damage.commits)} put there is lost, and ${cannotFold(folder, damage.commits[0]![0])}.`
      : `Nothing is lost by it, but ${cannotFold(folder, damage.commits[0]![0])}.`
    if (known) return
    this.#segments.set(path, damage)
    this.all.push(damage)
  }

  part({ folder, segment }: Part, commit: number, partFault: PartFault): void {
    const { offset, fault, item, items, frames = 1 } = partFault
    const path = joinPath(folder, segmentName(segment))
    const place = {
      path,
      store: folder,
      segment,
      offset,
      commits: [[commit, commit]] satisfies Damage['commits'],
      fault,
    }
    if (item === undefined) {
      const lost =
        items === undefined
          ? `${frames} ${frames === 1 ? 'event' : 'events'}`
          : `${items} ${items === 1 ? 'item' : 'items'}`
      this.all.push({
        kind: 'frame',
        ...place,
        follows: `${capitalized(lost)} of commit ${commit} cannot be read, and ${cannotFold(folder, commit)}.`,
      })
      return
    }
    const lost = item.isWhole ? 'Nothing is lost by it' : 'This item is lost'
    const follows = item.hasRow
      ? `${lost}; all others can be read.`
      : `${lost}, and ${cannotFold(folder, commit)}.`
    this.all.push({ kind: 'item', ...place, item: item.at, ...item.named, follows })
  }

  /** Bytes where an erase left none. */
  returned(
    { folder, ...place }: { folder: string; segment: number; offset: number; item: number },
    { commit, erasedBy }: { commit: number; erasedBy: number },
  ): void {
    const fault = `it was erased by commit ${erasedBy}, and holds bytes again`
    const follows =
      'No reader reads it. Somebody put an older copy of the file in its place, or wrote over it.'
    const path = joinPath(folder, segmentName(place.segment))
    this.all.push({
      kind: 'item',
      path,
      store: folder,
      ...place,
      commits: [[commit, commit]],
      fault,
      follows,
    })
  }

  /** Frames that are good in themselves, and not what the commit saw. */
  untrusted({ folder, segment }: Part, commit: number, { offset, fault }: PartFault): void {
    const path = joinPath(folder, segmentName(segment))
    const follows = `None of what commit ${commit} put there can be trusted, and ${cannotFold(folder, commit)}.`
    this.all.push({
      kind: 'part',
      path,
      store: folder,
      segment,
      offset,
      commits: [[commit, commit]],
      fault,
      follows,
    })
  }

  snapshot({ path, commit, subject }: VerifiedSnapshot): void {
    const fault = `it is not what commits 1 to ${commit} fold to`
    const follows = `${subject} opens with wrong content. Delete the file: nothing is lost, the log is folded anew.`
    this.all.push({ kind: 'snapshot', path, store: subject, commits: [[commit, commit]], fault, follows })
  }
}

function lossOf(lost: CommitRange, commits: readonly LogCommit[]): string {
  const verb = lost[0] === lost[1] ? 'is' : 'are'
  const readable: CommitRange[] = []
  for (const { number } of commits) addRange(readable, [number, number])
  const others = readable.length > 0 ? capitalized(nameCommits(readable)) : 'No other'
  return `${capitalized(nameCommits([lost]))} ${verb} lost, and ${mayRefuse}. ${others} can be read.`
}

function cannotFold(folder: string, commit: number): string {
  return `${folder} cannot be folded from commit ${commit} on; other stores can`
}

/**
 * Which snapshots stay. The newest serve whoever opens the present; older ones, spread over all commits, whoever
 * opens the past: from the nearest before a moment, only what came after it is replayed. What tells which keys were touched stays: it is small, and nothing else
 * says so of those commits.
 */
import { catalogSubject } from './snapshot.ts'
import { isTouchedSubject } from './touched-index.ts'

export interface SnapshotFile {
  commit: number
  subject: string
}

/** Of the past. What lies between two is at most an eighth of all commits, and what is kept at most so many times the present. */
const mostCatalogs = 16

/**
 * Those to remove, of any order. A catalog that stays names the snapshots of its stores, and they stay with it:
 * of each store the newest that is not later.
 */
export function superfluous(files: readonly SnapshotFile[], most = mostCatalogs): SnapshotFile[] {
  const catalogs = thinned(commitsOf(files, catalogSubject), most)
  const kept = new Map<string, Set<number>>()
  const states = files.filter(({ subject }) => !isTouchedSubject(subject))
  for (const subject of new Set(states.map((file) => file.subject))) {
    const commits = commitsOf(files, subject)
    const newest = commits.at(-1)
    const named = catalogs.map((catalog) => commits.findLast((commit) => commit <= catalog))
    kept.set(subject, new Set([...named, newest].filter((commit) => commit !== undefined)))
  }
  return states.filter(({ subject, commit }) => !kept.get(subject)!.has(commit))
}

function commitsOf(files: readonly SnapshotFile[], subject: string): number[] {
  return files
    .filter((file) => file.subject === subject)
    .map(({ commit }) => commit)
    .sort((a, b) => a - b)
}

/** Leaves out, one after another, what leaves the smallest gap; the newest stays. */
function thinned(commits: readonly number[], most: number): number[] {
  const left = [...commits]
  while (left.length > most) {
    let [place, smallest] = [0, Infinity]
    for (let at = 0; at < left.length - 1; at++) {
      const gap = left[at + 1]! - (left[at - 1] ?? 0)
      if (gap < smallest) [place, smallest] = [at, gap]
    }
    left.splice(place, 1)
  }
  return left
}

import { expect, test } from 'vitest'
import { superfluous, type SnapshotFile } from '../../src/journal/snapshot-thinning.ts'

/** What is left after each of many snapshots, made one after another. */
function keptAfter(commits: number, most: number): SnapshotFile[] {
  let files: SnapshotFile[] = []
  for (let commit = 1; commit <= commits; commit++) {
    files.push({ commit, subject: 'docstore' }, { commit, subject: 'journal' })
    const gone = superfluous(files, most)
    files = files.filter((file) => !gone.includes(file))
  }
  return files
}

test('however many snapshots were made, few stay, spread over all commits, and the newest is one of them', () => {
  for (const commits of [17, 100, 1000, 1023]) {
    const catalogs = keptAfter(commits, 16)
      .filter(({ subject }) => subject === 'journal')
      .map(({ commit }) => commit)
    expect(catalogs).toHaveLength(16)
    expect(catalogs.at(-1)).toBe(commits)
    const gaps = catalogs.map((commit, index) => commit - (catalogs[index - 1] ?? 0))
    expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.ceil(commits / 8))
  }
})

test('a store snapshot stays for each catalog that names it, and the newest in any case', () => {
  const files = [
    { commit: 3, subject: 'docstore' },
    { commit: 5, subject: 'docstore' },
    { commit: 6, subject: 'journal' },
    { commit: 7, subject: 'docstore' },
    { commit: 8, subject: 'docstore' },
    { commit: 9, subject: 'journal' },
    { commit: 9, subject: 'vector_store/default' },
    { commit: 11, subject: 'docstore' },
  ]
  expect(superfluous(files)).toEqual([
    { commit: 3, subject: 'docstore' },
    { commit: 7, subject: 'docstore' },
  ])
})

test('what was touched stays known of all commits, however few snapshots do', () => {
  const files = Array.from({ length: 40 }, (_, at) => at + 1).flatMap((commit) => [
    { commit, subject: 'docstore' },
    { commit, subject: 'docstore=touched' },
    { commit, subject: 'journal' },
  ])
  const gone = superfluous(files)
  expect(gone.filter(({ subject }) => subject === 'docstore')).toHaveLength(24)
  expect(gone.filter(({ subject }) => subject === 'docstore=touched')).toEqual([])
})

/** What `verify` found, in a person's words. */
import { capitalized, nameCommits } from '../history/commit-ranges.ts'
import type { AnchorReport, Damage, VerifiedSnapshot, VerifyReport } from '../history/verify-report.ts'
import { count, plainText, size } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

const mostDamages = 50

type Styles = Pick<Terminal, 'style'>

export function* reportLines(report: VerifyReport, styles: Styles): Generator<string> {
  const { intact, damages, directory } = report
  const name = plainText(directory)
  if (intact) {
    yield `${styles.style('green', `${name} is intact`)}: ${summary(report)}.`
  } else {
    yield `${styles.style('red', `${name} is damaged`)} in ${count(damages.length, 'place')}: ${summary(report)}.`
    yield ''
    for (const damage of damages.slice(0, mostDamages)) yield* damageLines(damage, styles)
    if (damages.length > mostDamages)
      yield `… and ${count(damages.length - mostDamages, 'more place')}; --json lists them all.`
    yield* safetyLines(report)
  }
  if (report.anchor) yield anchorText(report.anchor, styles)
  yield* remarks(report)
  if (!intact) yield `To save what is good: varve repair ${name} --to NEW`
}

function summary({ commits, stores, bytes }: VerifyReport): string {
  const items = stores.reduce((sum, store) => sum + store.items, 0)
  return `${count(commits, 'commit')}, ${count(stores.length, 'store')}, ${count(items, 'item')}, ${size(bytes)}`
}

function* damageLines(
  { path, offset, item, event, key, commits, fault, follows }: Damage,
  { style }: Styles,
): Generator<string> {
  const place = [
    plainText(path),
    offset === undefined ? '' : `offset ${offset}`,
    item === undefined ? '' : `item ${item}`,
    event === undefined ? '' : `${plainText(event)}${key === undefined ? '' : ` of ${plainText(key)}`}`,
    commits.length > 0 ? nameCommits(commits) : '',
  ]
  yield style('bold', place.filter(Boolean).join(', '))
  yield `  ${style('red', `${capitalized(plainText(fault))}.`)} ${plainText(follows)}`
  yield ''
}

function* safetyLines({ stores, head }: VerifyReport): Generator<string> {
  if (!head || stores.length === 0) return
  yield 'What is safe:'
  const names = stores.map(({ folder, name }) => plainText(name ?? folder))
  const width = Math.max(...names.map((name) => name.length))
  for (const [index, { damagedCommits, safeThrough }] of stores.entries()) {
    const isWhole = damagedCommits.length === 0
    const through = safeThrough > 0 ? nameCommits([[1, safeThrough]]) : 'nothing for certain'
    const text = isWhole ? 'all of it' : `${through}; damaged in ${nameCommits(damagedCommits)}`
    yield `  ${names[index]!.padEnd(width)}  ${text}`
  }
  yield ''
}

function anchorText({ state, number, later }: AnchorReport, { style }: Styles): string {
  const seen = nameCommits([[1, number]])
  switch (state) {
    case 'anchored': {
      const rest = later > 0 ? `; of ${count(later, 'later commit')} it says nothing` : ''
      return `${style('green', `${capitalized(seen)} are what was kept elsewhere`)}${rest}.`
    }
    case 'rewritten':
      return `${style('red', `Not ${seen} as kept elsewhere stand here`)}: history was rewritten, or this is another directory's.`
    case 'cut short':
      return `${style('red', `What was kept elsewhere saw commit ${number}, and it is not here`)}: history was cut short, or this is another directory's.`
    default:
      return `${style('red', 'Whether this is what was kept elsewhere cannot be told')}: some of ${seen} are lost.`
  }
}

/** What is no damage, but should be known. */
function* remarks({ torn, unnamed, snapshots, erasures, writer, damages }: VerifyReport): Generator<string> {
  const isLiving = writer?.state === 'living'
  if (writer && isLiving) yield `Process ${writer.pid} on ${plainText(writer.host)} is writing there.`
  if (torn) {
    const what = `${count(torn.commits, 'commit')}, ${size(torn.bytes)} from ${torn.path}, offset ${torn.offset}`
    yield isLiving
      ? `At the end something is just being written (${what}).`
      : `The last writer did not finish what stands at the end (${what}: ${plainText(torn.fault)}). It was never acknowledged, and does not count; that is no damage.`
  }
  const bytes = unnamed.reduce((sum, { from, to }) => sum + to - from, 0)
  const mayBeLost = damages.some(({ kind, commits }) => kind === 'commits' && commits.length > 0)
  const whose = mayBeLost ? "perhaps the lost commits'" : "an unfinished or displaced writer's, of no harm"
  if (bytes > 0) yield `${capitalized(size(bytes))} are named by no commit: ${whose}.`
  for (const { commit, items, left, isFinished } of erasures) {
    const open = `; ${left} of them not overwritten yet: the next writer does it`
    yield `${capitalized(count(items, 'item'))} erased by commit ${commit}${isFinished ? '' : left > 0 ? open : '; the next writer completes it'}.`
  }
  const unread = snapshots.filter(({ state }) => state === 'unreadable' || state === 'other history')
  if (unread.length > 0)
    yield `${count(unread.length, 'snapshot')} cannot be used (${snapshotNames(unread)}): nothing is lost, opening takes longer.`
}

function snapshotNames(snapshots: readonly VerifiedSnapshot[]): string {
  return snapshots.map(({ path }) => plainText(path)).join(', ')
}

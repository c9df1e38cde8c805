/** What `repair` wrote, and what it could not, in a person's words. */
import { capitalized, nameCommits } from '../history/commit-ranges.ts'
import type { Loss, RepairReport } from '../history/repair-report.ts'
import { count, plainText, size } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

type Styles = Pick<Terminal, 'style'>

export function* repairLines(report: RepairReport, { style }: Styles): Generator<string> {
  const { from, to, commits, items, bytes, lost, head } = report
  const written = `${count(commits, 'commit')}, ${count(items, 'item')}, ${size(bytes)}`
  yield `${style('bold', plainText(to))} holds ${written} of ${plainText(from)}, which was not changed.`
  if (lost.length === 0) {
    yield style('green', 'Nothing was lost.')
  } else {
    yield ''
    yield style('red', `${count(lost.length, 'thing')} could not be carried over:`)
    for (const loss of lost) yield `  ${lossText(loss)}`
    yield ''
    yield 'Where a change is lost, what stood there before it shows again: the older value, or what had been deleted.'
  }
  yield* remarks(report)
  yield `The commits stand in a new chain, so their hashes differ: the last is ${head.after.slice(0, 8)}, and was ${head.before.slice(0, 8)}.`
}

function lossText({ commits, what, store, event, key, item, items, fault }: Loss): string {
  const where = store === undefined ? '' : ` in ${plainText(store)}`
  const reason = `(${plainText(fault)})`
  switch (what) {
    case 'commits':
      return `${capitalized(nameCommits([commits]))}: everything ${reason}`
    case 'note':
      return `${capitalized(nameCommits([commits]))}: message, actor and metadata ${reason}`
    case 'part':
      return `${capitalized(nameCommits([commits]))}${where}: all of it ${reason}`
    case 'event':
      return `${capitalized(nameCommits([commits]))}${where}: ${items === undefined ? 'events' : `an event of ${count(items, 'item')}`} ${reason}`
    case 'item': {
      const name = `${event === undefined ? 'item' : plainText(event)} ${key === undefined ? `number ${item}` : plainText(key)}`
      return `${capitalized(nameCommits([commits]))}${where}: ${name} ${reason}`
    }
  }
}

function* remarks({ placeholders, renumbered, torn, notCopied }: RepairReport): Generator<string> {
  if (placeholders.length > 0)
    yield `Empty there, so that all others keep their numbers: ${nameCommits(placeholders)}.`
  if (renumbered) yield 'So many commits are lost that later ones have lower numbers than before.'
  if (torn)
    yield `What the last writer did not finish was left out: ${count(torn.commits, 'commit')}, ${size(torn.bytes)}.`
  if (notCopied.length > 0)
    yield `Not copied, since no part of the journal: ${notCopied.map(plainText).join(', ')}.`
}

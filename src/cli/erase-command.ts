/** `varve erase`: takes documents or nodes out of the present and of every commit, for good, and says what it could not reach. */
import { plainCommit } from './commit-text.ts'
import type { Disk } from '../disk/disk.ts'
import type { EraseReport } from '../history/erase-report.ts'
import type { ExitCode } from './exit-code.ts'
import { keyText } from './key-text.ts'
import { withStorage } from './open-history.ts'
import { count, plainText, toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export interface EraseCommandOptions {
  refDoc?: string[]
  node?: string[]
  reason: string
  actor?: string
  removeImported?: boolean
  json?: boolean
  terminal: Terminal
}

export async function eraseCommand(
  disk: Disk,
  directory: string,
  { refDoc, node, json = false, terminal, ...options }: EraseCommandOptions,
): Promise<ExitCode> {
  return withStorage<ExitCode>(disk, directory, { terminal, readOnly: false }, async ({ history }) => {
    const report = await history.erase({ refDocIds: refDoc, nodeIds: node, ...options })
    const { commit } = report
    if (json) terminal.print(toJson({ ...report, commit: commit ? plainCommit(commit) : null }))
    else for (const line of reportLines(report, terminal)) terminal.print(line)
    return report.complete ? 0 : 1
  })
}

function* reportLines(report: EraseReport, { style }: Pick<Terminal, 'style'>): Generator<string> {
  const { commit, complete, refDocIds, nodeIds, items, rewritten, remaining, imported, beyond } = report
  const what = [
    ...(refDocIds.length > 0 ? [count(refDocIds.length, 'document')] : []),
    count(nodeIds.length, 'node'),
  ].join(' with ')
  if (commit) yield `${style(complete ? 'green' : 'bold', `Erased ${what}`)} in commit ${commit.number}:`
  else yield 'All of it was erased before: nothing was written.'
  for (const { store, items: number } of items)
    yield `  ${plainText(store)}: ${count(number, 'item')}, over all commits`
  if (rewritten.length > 0)
    yield `${count(rewritten.length, 'other node')} named it, and stayed without that: ${rewritten.map(keyText).join(', ')}`
  for (const { kind, store, key } of remaining)
    yield `Still there: ${plainText(store)} ${keyText(key)} (${meaning[kind]})`
  for (const name of imported.removed) yield `Removed ${plainText(name)}, which was imported.`
  for (const { name, isChanged } of imported.notReached) {
    const why = isChanged ? 'it is not any more what was imported' : '--remove-imported removes it'
    yield style('red', `Not reached: ${plainText(name)}, which was imported; ${why}.`)
  }
  yield 'Beyond reach, if there are any:'
  for (const each of beyond) yield `  ${each}`
}

const meaning = {
  overlap: 'its text may overlap',
  parent: 'it sums it up',
  mention: 'it mentions its id',
} as const

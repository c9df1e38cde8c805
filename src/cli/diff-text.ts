/** Values and their changes as people read them: fields one by one, texts line by line. */
import { diffLines } from 'diff'
import { leavesOf, type ChangedPath } from '../history/changed-paths.ts'
import { plainText, toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

/** What must change at each of these places. */
export function changeLines(paths: readonly ChangedPath[], terminal: Terminal): string[] {
  return paths.flatMap(({ path: at, before, after }) => {
    const [old, now] = [leavesAt(at, before), leavesAt(at, after)]
    return Array.from(new Set([...old.keys(), ...now.keys()])).flatMap((path) => [
      `  ${terminal.style('dim', plainText(path.slice(1)))}`,
      ...leafLines(old.get(path), now.get(path), terminal),
    ])
  })
}

function leavesAt(path: string, tree: unknown): Map<string, unknown> {
  return new Map(tree === undefined ? [] : leavesOf(tree, path))
}

/** A plain tree as it is. */
export function* valueLines(tree: unknown, { style }: Pick<Terminal, 'style'>): Generator<string> {
  for (const [path, leaf] of leavesOf(tree)) {
    if (path !== '') yield style('dim', plainText(path.slice(1)))
    for (const line of leafText(leaf).split('\n')) yield `  ${plainText(line)}`
  }
}

function leafLines(was: unknown, is: unknown, terminal: Terminal): string[] {
  if (typeof was === 'string' && typeof is === 'string' && `${was}${is}`.includes('\n'))
    return diffLines(was, is).flatMap(({ value, added, removed }) =>
      value
        .replace(/\n$/, '')
        .split('\n')
        .map((line) =>
          added ? plus(line, terminal) : removed ? minus(line, terminal) : `      ${plainText(line)}`,
        ),
    )
  return [
    ...(was === undefined ? [] : [minus(leafText(was), terminal)]),
    ...(is === undefined ? [] : [plus(leafText(is), terminal)]),
  ]
}

function leafText(leaf: unknown): string {
  return typeof leaf === 'string' ? leaf : toJson(leaf)
}

function plus(line: string, terminal: Terminal): string {
  return `    ${terminal.style('green', `+ ${plainText(line)}`)}`
}

function minus(line: string, terminal: Terminal): string {
  return `    ${terminal.style('red', `- ${plainText(line)}`)}`
}

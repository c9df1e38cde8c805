/** A commit as a line, and as JSON. */
import type { Commit } from '../journal/commit.ts'
import { plainText } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

const shortHash = 8

export function plainCommit({
  number,
  hash,
  time,
  kind,
  actor,
  message,
  metadata,
  tag,
}: Commit): Record<string, unknown> {
  return { number, hash, time: time.toISOString(), kind, actor, message, metadata, tag }
}

export function commitLine(
  { number, hash, time, kind, actor, message, tag }: Commit,
  { width, terminal }: { width: number; terminal: Terminal },
): string {
  const when = time.toISOString().replace(/\.\d+Z$/, 'Z')
  const words = [
    kind === 'data' ? '' : `[${plainText(kind)}]`,
    tag ? `${plainText(tag.name)} ${tag.commit === undefined ? 'taken away' : `= ${tag.commit}`}` : '',
    actor === undefined ? '' : terminal.style('bold', `${plainText(actor)}:`),
    message === undefined ? '' : firstLine(message),
  ]
  const columns = [
    String(number).padStart(width),
    terminal.style('yellow', hash.slice(0, shortHash)),
    terminal.style('dim', when),
  ]
  return [...columns, words.filter(Boolean).join(' ')].filter(Boolean).join('  ')
}

function firstLine(message: string): string {
  const [first = '', ...more] = message.trim().split(/\r?\n/)
  return more.length > 0 ? `${plainText(first)} …` : plainText(first)
}

/** `varve log`: the commits, the newest first, as they are read. */
import type { Disk } from '../disk/disk.ts'
import { findJournal } from '../history/journal-place.ts'
import { toCommit, type Commit } from '../journal/commit.ts'
import { Home } from '../journal/home.ts'
import { plainText, toJson } from './plain-text.ts'
import type { ExitCode } from './exit-code.ts'
import type { Terminal } from './terminal.ts'

const shortHash = 8

export interface LogCommandOptions {
  limit?: number
  json?: boolean
  terminal: Terminal
}

export async function logCommand(
  disk: Disk,
  directory: string,
  { limit = Infinity, json = false, terminal }: LogCommandOptions,
): Promise<ExitCode> {
  await findJournal(disk, directory)
  const home = await Home.open(disk, directory)
  if (!home) return 0 // Begun, and nothing committed yet.
  try {
    const last = home.catalog.end.number
    const width = String(last).length
    for (let number = last; number > Math.max(0, last - limit); number--) {
      const commit = toCommit(await home.commit(number))
      terminal.print(json ? toJson(plainCommit(commit)) : commitLine(commit, { width, terminal }))
    }
    return 0
  } finally {
    await home.files.close()
  }
}

function plainCommit({
  number,
  hash,
  time,
  kind,
  actor,
  message,
  metadata,
}: Commit): Record<string, unknown> {
  return { number, hash, time: time.toISOString(), kind, actor, message, metadata }
}

function commitLine(
  { number, hash, time, kind, actor, message }: Commit,
  { width, terminal }: { width: number; terminal: Terminal },
): string {
  const when = time.toISOString().replace(/\.\d+Z$/, 'Z')
  const words = [
    kind === 'data' ? '' : `[${plainText(kind)}]`,
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

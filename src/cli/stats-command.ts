/** `varve stats`: how much a directory holds, how much of it is the past, and where. */
import type { Disk } from '../disk/disk.ts'
import { statisticsOf, type DirectoryStatistics } from '../history/statistics.ts'
import { commitLine, plainCommit } from './commit-text.ts'
import type { ExitCode } from './exit-code.ts'
import { readHistory } from './open-history.ts'
import { count, plainText, size, toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export async function statsCommand(
  disk: Disk,
  directory: string,
  { json = false, terminal }: { json?: boolean; terminal: Terminal },
): Promise<ExitCode> {
  const statistics = await readHistory(disk, directory, statisticsOf)
  const { oldest, newest } = statistics
  if (json)
    terminal.print(toJson({ ...statistics, oldest: plainCommit(oldest), newest: plainCommit(newest) }, 2))
  else for (const line of statisticsLines(statistics, terminal)) terminal.print(line)
  return 0
}

function* statisticsLines(
  { directory, commits, tags, oldest, newest, stores, commitLog }: DirectoryStatistics,
  terminal: Terminal,
): Generator<string> {
  const bytes = [commitLog, ...stores].reduce(
    (sum, { bytes, snapshotBytes }) => sum + bytes + snapshotBytes,
    0,
  )
  const parts = [count(commits, 'commit'), count(tags, 'tag'), size(bytes)]
  yield `${terminal.style('bold', plainText(directory))}: ${parts.join(', ')}`
  const width = String(newest.number).length
  yield `oldest  ${commitLine(oldest, { width, terminal })}`
  yield `newest  ${commitLine(newest, { width, terminal })}`
  yield ''
  const rows = [
    ['', 'keys', 'now', 'with the past', 'segments', 'snapshots', 'last commit'],
    ...[...stores, { ...commitLog, store: 'commits', keys: undefined, liveBytes: undefined }].map((each) => [
      plainText(each.store),
      each.keys?.toLocaleString('en-US') ?? '',
      each.liveBytes === undefined ? '' : size(each.liveBytes),
      size(each.bytes),
      String(each.segments),
      `${each.snapshots} (${size(each.snapshotBytes)})`,
      String(each.lastCommit),
    ]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  for (const row of rows) {
    const [first, ...rest] = row.map((cell, at) =>
      at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!),
    )
    yield [first, ...rest].join('  ').trimEnd()
  }
}

/** `varve import`: exit code 0 if everything found its place, 1 if something is to be known about it. */
import { importLlamaIndex, type ImportReport } from '../context/import-directory.ts'
import type { Disk } from '../disk/disk.ts'
import { count, plainText, size, toJson } from './plain-text.ts'
import type { ExitCode } from './exit-code.ts'
import { showProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'

export interface ImportCommandOptions {
  to?: string
  json?: boolean
  terminal: Terminal
}

export async function importCommand(
  disk: Disk,
  directory: string,
  { to, json = false, terminal }: ImportCommandOptions,
): Promise<ExitCode> {
  const report = await terminal.interruptible((signal) =>
    importLlamaIndex(directory, { disk, to, signal, onProgress: showProgress(terminal, 'reading') }),
  )
  if (json) terminal.print(toJson(report, 2))
  else for (const line of importLines(report, terminal)) terminal.print(line)
  return report.warnings.length === 0 ? 0 : 1
}

function* importLines(report: ImportReport, { style }: Pick<Terminal, 'style'>): Generator<string> {
  const { from, to, dialect, files, nodes, indices, vectors, triplets, warnings, commit } = report
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const language = dialect === 'python' ? 'Python' : 'TypeScript'
  yield `${plainText(from)}: ${size(bytes)} in ${count(files.length, 'file')} of LlamaIndex in ${language}, which were not changed.`
  if (commit)
    yield `${style('bold', plainText(to))} holds them as commit ${commit.number} (${commit.hash.slice(0, 8)}):`
  else yield 'There is nothing in them, and nothing was written.'
  yield `  ${count(nodes, 'node')}, ${count(triplets, 'triplet')}`
  for (const [namespace, number] of Object.entries(vectors))
    yield `  ${count(number, 'vector')} in the namespace ${plainText(namespace)}`
  for (const { indexId, type } of indices) yield `  index ${plainText(indexId)} (${plainText(type)})`
  if (warnings.length === 0) return
  yield style('yellow', `To be known (${warnings.length}):`)
  for (const { file, message } of warnings) yield `  ${plainText(file)}: ${plainText(message)}`
}

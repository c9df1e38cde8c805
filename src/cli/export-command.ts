/** `varve export`: exit code 0 if everything was written, 1 if the format had no place for something. */
import { exportLlamaIndex } from '../context/export-directory.ts'
import type { Disk } from '../disk/disk.ts'
import type { ExportReport } from '../interop/export-report.ts'
import type { LlamaIndexDialect } from '../interop/llamaindex-content.ts'
import { count, plainText, size, toJson } from './plain-text.ts'
import type { ExitCode } from './exit-code.ts'
import { showWritten } from './progress.ts'
import type { Terminal } from './terminal.ts'

export interface ExportCommandOptions {
  to: string
  format: LlamaIndexDialect
  json?: boolean
  terminal: Terminal
}

export async function exportCommand(
  disk: Disk,
  directory: string,
  { to, format, json = false, terminal }: ExportCommandOptions,
): Promise<ExitCode> {
  const report = await terminal.interruptible((signal) =>
    exportLlamaIndex(directory, {
      disk,
      to,
      format,
      signal,
      onProgress: showWritten(terminal),
      onWarning: (warning) => terminal.complain(plainText(warning)),
    }),
  )
  if (json) terminal.print(toJson(report, 2))
  else for (const line of exportLines(report, terminal)) terminal.print(line)
  return report.omitted.length === 0 ? 0 : 1
}

function* exportLines(report: ExportReport, { style }: Pick<Terminal, 'style'>): Generator<string> {
  const { to, format, files, nodes, indices, vectors, triplets, omitted } = report
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const language = format === 'python' ? 'Python' : 'TypeScript'
  yield `${style('bold', plainText(to))} holds ${size(bytes)} in ${count(files.length, 'file')} for LlamaIndex in ${language}:`
  yield `  ${count(nodes, 'node')}, ${count(indices, 'index', 'indices')}, ${count(triplets, 'triplet')}`
  for (const [namespace, number] of Object.entries(vectors))
    yield `  ${count(number, 'vector')} in the namespace ${plainText(namespace)}`
  if (omitted.length === 0) return
  yield style('yellow', `Left out, for want of a place (${omitted.length}):`)
  for (const { what, reason } of omitted) yield `  ${plainText(what)}: ${plainText(reason)}`
}

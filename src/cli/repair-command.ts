/** `varve repair`: exit code 0 if everything was carried over, 1 if something was lost. */
import type { Disk } from '../disk/disk.ts'
import { repairDirectory } from '../history/repair.ts'
import { toJson } from './plain-text.ts'
import type { ExitCode } from './exit-code.ts'
import { showProgress } from './progress.ts'
import { repairLines } from './repair-text.ts'
import type { Terminal } from './terminal.ts'

export interface RepairCommandOptions {
  to: string
  json?: boolean
  terminal: Terminal
}

export async function repairCommand(
  disk: Disk,
  directory: string,
  { to, json = false, terminal }: RepairCommandOptions,
): Promise<ExitCode> {
  const report = await terminal.interruptible((signal) =>
    repairDirectory(disk, directory, to, { signal, onProgress: showProgress(terminal, 'reading') }),
  )
  if (json) terminal.print(toJson(report, 2))
  else for (const line of repairLines(report, terminal)) terminal.print(line)
  return report.lost.length === 0 ? 0 : 1
}

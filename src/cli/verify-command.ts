/** `varve verify`: exit code 0 if nothing that was promised is damaged, and the history is the one that was kept elsewhere; else 1. */
import type { Disk } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import { verifyDirectory } from '../history/verify.ts'
import { givenAnchor } from './given-anchor.ts'
import { plainText, toJson } from './plain-text.ts'
import type { ExitCode } from './exit-code.ts'
import { showProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'
import { reportLines } from './verify-text.ts'

export interface VerifyCommandOptions {
  against?: string
  vkey?: string
  json?: boolean
  terminal: Terminal
}

export async function verifyCommand(
  disk: Disk,
  directory: string,
  { against, vkey, json = false, terminal }: VerifyCommandOptions,
): Promise<ExitCode> {
  const anchor = against === undefined ? {} : { against: await givenAnchor(disk, against, vkey) }
  try {
    const report = await terminal.interruptible((signal) =>
      verifyDirectory(disk, directory, {
        signal,
        onProgress: showProgress(terminal, 'reading'),
        ...anchor,
      }),
    )
    if (json) terminal.print(toJson(report, 2))
    else for (const line of reportLines(report, terminal)) terminal.print(line)
    const isAnchored = report.anchor === undefined || report.anchor.state === 'anchored'
    return report.intact && isAnchored ? 0 : 1
  } catch (error) {
    if (!(error instanceof VarveError) || error.code !== 'VARVE_CORRUPT') throw error
    // So damaged that nothing could be looked at: that is an answer, too.
    terminal.complain(`${terminal.styleError('red', 'varve:')} ${plainText(error.message)}`)
    return 1
  }
}

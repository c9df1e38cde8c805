/** `varve prove`: prints a proof. Exit code 1 if there is none, since it is not so. */
import type { Disk } from '../disk/disk.ts'
import { proveCommit, proveConsistency } from '../history/prove.ts'
import type { ExitCode } from './exit-code.ts'
import { toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'
import { readText } from './text-files.ts'

export interface ProveCommandOptions {
  /** A commit that is in the history, or the older checkpoint of a history that was never rewritten since. */
  what: { commit: number } | { since: string }
  against: string
  json?: boolean
  terminal: Terminal
}

export async function proveCommand(
  disk: Disk,
  directory: string,
  { what, against, json = false, terminal }: ProveCommandOptions,
): Promise<ExitCode> {
  const checkpoint = await readText(disk, against)
  const old = 'since' in what ? await readText(disk, what.since) : ''
  const proof = await terminal.interruptible<{ text: string }>((signal) =>
    'since' in what
      ? proveConsistency(disk, directory, { old, checkpoint, signal })
      : proveCommit(disk, directory, { commit: what.commit, checkpoint, signal }),
  )
  if (json) terminal.print(toJson(proof, 2))
  else terminal.write(proof.text, 'output')
  return 0
}

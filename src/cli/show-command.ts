/** `varve show`: one commit, with everything that it touched. */
import type { Disk } from '../disk/disk.ts'
import { logOf } from '../history/log.ts'
import { resolveMoment } from '../journal/moment.ts'
import { commitLine, plainCommit } from './commit-text.ts'
import type { ExitCode } from './exit-code.ts'
import { keyText } from './key-text.ts'
import { readHistory } from './open-history.ts'
import { plainText, toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

export async function showCommand(
  disk: Disk,
  directory: string,
  { moment, json = false, terminal }: { moment: string; json?: boolean; terminal: Terminal },
): Promise<ExitCode> {
  await readHistory(disk, directory, async (log) => {
    const number = await resolveMoment(log, moment)
    for await (const commit of logOf(log, { since: Math.max(0, number - 1), until: number, keys: true })) {
      const { touched } = commit
      if (json) {
        terminal.print(toJson({ ...plainCommit(commit), touched }, 2))
        continue
      }
      terminal.print(commitLine(commit, { width: 0, terminal }))
      terminal.print(`hash      ${commit.hash}`)
      const message = commit.message?.trim().split(/\r?\n/) ?? []
      if (message.length > 1) for (const line of message) terminal.print(`message   ${plainText(line)}`)
      if (commit.metadata) terminal.print(`metadata  ${plainText(toJson(commit.metadata))}`)
      for (const { store, counts, keys = [] } of touched) {
        const what = Object.entries(counts).map(([type, count]) => `${count} ${plainText(type)}`)
        terminal.print(`${terminal.style('bold', plainText(store))}: ${what.join(', ')}`)
        for (const key of keys) terminal.print(`  ${keyText(key)}`)
      }
    }
  })
  return 0
}

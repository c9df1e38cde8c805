/** `varve checkpoint`: exit code 0 if one was made, 1 if it would contradict the one in whose place it was to be written. With `--new-key`, it makes a key to sign them with, and nothing else. */
import { randomFillSync } from 'node:crypto'
import type { Disk } from '../disk/disk.ts'
import { formatSignerKey, formatVerifierKey, newSignerKey, parseSignerKey } from '../history/note-key.ts'
import { checkpointDirectory } from '../history/prove.ts'
import { keyLines, uncoveredText, writtenLines } from './checkpoint-text.ts'
import type { ExitCode } from './exit-code.ts'
import { toJson } from './plain-text.ts'
import type { Terminal } from './terminal.ts'
import { createSecret, readText, readTextIfThere, writeText } from './text-files.ts'

export interface CheckpointCommandOptions {
  key: string
  out?: string
  origin?: string
  newKey?: string
  json?: boolean
  terminal: Terminal
}

export async function checkpointCommand(
  disk: Disk,
  directory: string,
  { key: keyFile, out, origin, newKey, json = false, terminal }: CheckpointCommandOptions,
): Promise<ExitCode> {
  if (newKey !== undefined) return makeKey(disk, newKey, { keyFile, json, terminal })
  const key = parseSignerKey((await readText(disk, keyFile)).trim())
  const previous = out === undefined ? undefined : await readTextIfThere(disk, out)
  const given = {
    ...(origin === undefined ? {} : { origin }),
    ...(previous === undefined ? {} : { previous }),
  }
  const checkpoint = await terminal.interruptible((signal) =>
    checkpointDirectory(disk, directory, { key, signal, ...given }),
  )
  const { text } = checkpoint
  const vkey = formatVerifierKey(key)
  if (out !== undefined) await writeText(disk, out, text)
  if (json) terminal.print(toJson({ ...checkpoint, vkey, out }, 2))
  else if (out === undefined) terminal.write(text, 'output')
  else for (const line of writtenLines(checkpoint, { vkey, out })) terminal.print(line)
  if (checkpoint.uncovered > 0) terminal.complain(uncoveredText(checkpoint))
  return 0
}

async function makeKey(
  disk: Disk,
  name: string,
  { keyFile, json, terminal }: { keyFile: string; json: boolean; terminal: Terminal },
): Promise<ExitCode> {
  const key = newSignerKey(name, randomFillSync)
  const vkey = formatVerifierKey(key)
  await createSecret(disk, keyFile, `${formatSignerKey(key)}\n`)
  if (json) terminal.print(toJson({ name, key: keyFile, vkey }, 2))
  else for (const line of keyLines(keyFile, vkey)) terminal.print(line)
  return 0
}

/** What `varve checkpoint` did, in a person's words. */
import { capitalized, nameCommits } from '../history/commit-ranges.ts'
import type { SignedCheckpoint } from '../history/prove.ts'
import { plainText } from './plain-text.ts'

export function* keyLines(keyFile: string, vkey: string): Generator<string> {
  yield `The key is in ${plainText(keyFile)}: whoever has that file can sign. Others verify with`
  yield vkey
}

export function* writtenLines(
  { origin, size }: SignedCheckpoint,
  { vkey, out }: { vkey: string; out: string },
): Generator<string> {
  const commits = capitalized(nameCommits([[1, size]]))
  yield `${commits} of ${plainText(origin)}: the checkpoint is in ${plainText(out)}.`
  yield `Keep it where whoever can write the directory cannot. It is verified with ${vkey}`
}

export function uncoveredText({ size, uncovered }: SignedCheckpoint): string {
  const commits = nameCommits([[size + 1, size + uncovered]])
  return `Not covered: ${commits}. Nothing shows yet that no crash takes it back; the next commit will, or the writer's close().`
}

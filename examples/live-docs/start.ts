/**
 * Documents that answer as they are now: `npm run live-docs -- [folder] [port]`. One process watches a folder of text and Markdown, and commits what changes in it;
 * another one follows its commits, and answers questions over HTTP. Neither knows of the other: what they share is a directory. Ctrl-C ends both.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const [folder = join(import.meta.dirname, 'docs'), port = '3000'] = process.argv.slice(2)
const persistDir = join('storage', 'live-docs')

const children = [run('ingest.ts', [resolve(folder), persistDir]), run('serve.ts', [persistDir, port])]
// Not `once`: a terminal's Ctrl-C reaches the children by itself, and a second time from here; they end once.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, stop)
const codes = await Promise.all(
  children.map(async (child) => ((await once(child, 'exit')) as [number | null])[0]),
)
process.exitCode = codes.find((code) => code !== 0) ?? 0

function run(file: string, args: readonly string[]): ReturnType<typeof spawn> {
  const script = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], { stdio: 'inherit' })
  return child.on('exit', stop) // One without the other is of no use.
}

function stop(): void {
  for (const child of children) child.kill('SIGINT')
}

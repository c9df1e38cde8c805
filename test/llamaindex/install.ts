/**
 * The real LlamaIndexTS in a project of its own, as a user has it. Where `LLAMAINDEX_PROJECT` names a directory, all that need it share the one that is installed there, once.
 *
 *   tsx test/llamaindex/install.ts DIR   exit code 1, and the reason, where the registry cannot be reached
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const packages = ['llamaindex@0.12.1', '@llamaindex/core@0.6.22']

/** Answers why it cannot be had; `undefined`: it is there. */
export function installLlamaIndex(project: string): string | undefined {
  if (existsSync(join(project, 'node_modules/llamaindex'))) return undefined
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n')
  const { status, stderr } = npm(['install', '--ignore-scripts', ...packages], project)
  if (status === 0) return undefined
  return `npm cannot install ${packages.join(' and ')} here. ${stderr.trim().split('\n').at(-1)}`
}

export function npm(args: string[], cwd: string) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  const shell = process.platform === 'win32'
  return spawnSync('npm', [...args, ...quiet], { cwd, encoding: 'utf8', shell, timeout: 150_000 })
}

if (import.meta.filename === process.argv[1]) {
  const reason = installLlamaIndex(process.argv[2]!)
  if (reason !== undefined) console.log(reason)
  process.exitCode = reason === undefined ? 0 : 1
}

/** Runs a command on a terminal of its own, and shows what a person would see: with `script` of util-linux, or else with Python's `pty`. */
import { spawn, spawnSync } from 'node:child_process'

/** Answers as a shell would where a signal ended it. */
const python =
  'import os, pty, sys; code = os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])); sys.exit(code if code >= 0 else 128 - code)'

type Driver = (command: readonly string[]) => [file: string, ...args: string[]]

const drivers: { probe: [file: string, ...args: string[]]; run: Driver }[] = [
  {
    probe: ['script', '--version'], // Others than that of util-linux know no such option.
    run: (command) => ['script', '-qec', command.map(quoted).join(' '), '/dev/null'],
  },
  { probe: ['python3', '-c', 'import pty'], run: (command) => ['python3', '-c', python, ...command] },
]

const driver = drivers.find(({ probe: [file, ...args] }) => spawnSync(file, args).status === 0)?.run

/** Why there is no terminal here; `undefined`: there is one. */
export const noTerminal = driver ? undefined : 'neither script (util-linux) nor python3 with pty is here'

export interface Seen {
  code: number | null
  /** Everything that came, in order. */
  output: string
  /** What stands there in the end. */
  screen: string[]
}

export interface OnTerminalOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
  /** Is told what came so far; what it answers is typed. */
  onOutput?: (output: string) => string | undefined
}

export function onTerminal(
  command: readonly string[],
  { cwd, env, onOutput }: OnTerminalOptions,
): Promise<Seen> {
  const [file, ...args] = driver!(command)
  const plain = { ...process.env, NO_COLOR: '', FORCE_COLOR: undefined, TERM: 'xterm' }
  const child = spawn(file, args, { cwd, env: { ...plain, ...env } })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    const typed = onOutput?.(output)
    if (typed !== undefined) child.stdin.write(typed)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output, screen: screenOf(output) }))
  })
}

/** As far as our own words go: returns to the line's beginning, and lines that are cleared. */
function screenOf(output: string): string[] {
  const lines = output.split('\n').map((line) => {
    const parts = line.replace(/\r+$/, '').split('\r')
    return parts.at(-1)!.split('\u001b[K').at(-1)!
  })
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`
}

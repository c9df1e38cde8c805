/** What both processes of the quickstart print, and how they end. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { VarveError } from 'varve'

/** Something the user can mend: the message says what is the matter and what to do. */
export class Failure extends Error {}

/** Runs a step and prints what it took, and what came of it. */
export async function step<T>(
  name: string,
  work: () => Promise<T>,
  outcome: string | ((value: T) => string) = '',
): Promise<T> {
  const start = performance.now()
  const value = await work()
  printStep(name, performance.now() - start, typeof outcome === 'string' ? outcome : outcome(value))
  return value
}

/** What each phase of one long call took. */
export class PhaseTimes {
  readonly #start = performance.now()
  readonly #ends = new Map<string, number>()

  note(phase: string): void {
    this.#ends.set(phase, performance.now())
  }

  print(): void {
    let start = this.#start
    for (const [phase, end] of this.#ends) {
      printStep(phase, end - start, '')
      start = end
    }
  }
}

function printStep(name: string, ms: number, outcome: string): void {
  console.log(`  ${name.padEnd(9)}${ms.toFixed(1).padStart(8)} ms   ${outcome}`.trimEnd())
}

/** Runs one process of the quickstart. Ctrl-C aborts the signal, so that it can stop between two steps and close in order. */
export async function runMain(main: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  // Not `once`: a runner passes the terminal's own Ctrl-C on, and the second would kill what the first is ending.
  process.on('SIGINT', () => stop.abort())
  try {
    await main(stop.signal)
  } catch (error) {
    process.exitCode = stop.signal.aborted ? 130 : 1
    if (stop.signal.aborted)
      console.error('\nStopped. What was committed stays, the rest was dropped; run it again.')
    else if (error instanceof Failure || error instanceof VarveError) console.error(`\n${error.message}`)
    else throw error
  }
}

export async function sizeOnDisk(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  )
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  return `${bytes.toLocaleString('en')} bytes in ${files.length} files`
}

export function oneLine(text: string, width = 72): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > width ? `${line.slice(0, width - 1)}…` : line
}

export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

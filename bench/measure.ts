/** Timers, and figures about many runs of the same thing. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface Spread {
  median: number
  p95: number
  max: number
}

export async function timed<T>(work: () => T | Promise<T>): Promise<{ ms: number; value: T }> {
  const start = performance.now()
  const value = await work()
  return { ms: performance.now() - start, value }
}

/** Milliseconds of each of so many runs; of fewer, but of one at least, once they took `budgetMs`. */
export async function timesOf(
  times: number,
  work: (at: number) => unknown,
  budgetMs = Number.POSITIVE_INFINITY,
): Promise<number[]> {
  const all: number[] = []
  const began = performance.now()
  for (let at = 0; at < times; at++) {
    if (at > 0 && performance.now() - began > budgetMs) break
    all.push((await timed(() => work(at))).ms)
  }
  return all
}

export async function repeated(times: number, work: (at: number) => unknown): Promise<Spread> {
  return spread(await timesOf(times, work))
}

export function spread(values: readonly number[]): Spread {
  return { median: share(values, 0.5), p95: share(values, 0.95), max: share(values, 1) }
}

/** The value that so many of them do not exceed. */
export function share(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
}

/** Bytes in the files of a persist directory, snapshots apart from the rest. */
export function bytesOnDisk(directory: string): { logs: number; snapshots: number; files: number } {
  const sizes = { logs: 0, snapshots: 0, files: 0 }
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    sizes.files++
    sizes[path.includes('snapshots') ? 'snapshots' : 'logs'] += statSync(path).size
  }
  return sizes
}

/** Of this process, so far: user and system, all threads. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** What this process wrote so far, to files and sockets; NaN where the system does not count it. */
export function writtenBytes(): number {
  if (process.platform !== 'linux') return Number.NaN
  return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
}

/** Of this process, so far. */
export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024
}

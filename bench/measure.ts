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

/** Milliseconds of each of so many runs. */
export async function repeated(times: number, work: (at: number) => unknown): Promise<Spread> {
  const all: number[] = []
  for (let at = 0; at < times; at++) all.push((await timed(() => work(at))).ms)
  return spread(all)
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { median: at(0.5), p95: at(0.95), max: at(1) }
}

/** Bytes in the files of a persist directory, snapshots apart from the rest. */
export function bytesOnDisk(directory: string): { logs: number; snapshots: number } {
  const sizes = { logs: 0, snapshots: 0 }
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
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

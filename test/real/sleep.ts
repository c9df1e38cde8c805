import { setTimeout as sleep } from 'node:timers/promises'

/** Timers know whole milliseconds only. */
export async function sleepExactly(ms: number): Promise<void> {
  const end = performance.now() + ms
  if (ms > 3) await sleep(ms - 2)
  while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve))
}

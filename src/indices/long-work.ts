/** Long work in steps: it tells how far it is, lets the event loop run, and stops between steps when asked to. */

export interface Progress {
  phase: 'split' | 'embed' | 'extract' | 'summarize' | 'store'
  done: number
  total: number
  /** Of `done`: nodes left out because they have no content. */
  skipped?: number
}

export interface LongWork {
  onProgress?: (progress: Progress) => void
  /** Stops the work, which then rejects with the signal's reason and leaves the stores as they were. */
  signal?: AbortSignal
}

export interface Steps extends LongWork {
  phase: Progress['phase']
  /** Items a step. */
  size: number
  /** Items that were dealt with, or left out, beforehand. */
  before?: { done: number; skipped: number }
}

export async function inSteps<T>(
  items: readonly T[],
  { onProgress, signal, phase, size, before }: Steps,
  step: (slice: T[]) => Promise<void>,
): Promise<void> {
  const { done = 0, skipped = 0 } = before ?? {}
  const total = items.length + done
  const report = (now: number) => onProgress?.({ phase, done: now, total, ...(skipped > 0 && { skipped }) })
  if (items.length === 0 && done > 0) report(done)
  for (let at = 0; at < items.length; at += size) {
    signal?.throwIfAborted()
    await step(items.slice(at, at + size))
    report(done + Math.min(at + size, items.length))
    await breathe(at / size)
  }
  signal?.throwIfAborted()
}

/** Without this, work that never waits would keep a timer or a signal handler from ever running. */
async function breathe(step: number): Promise<void> {
  if (step % 16 === 15) await new Promise((resolve) => setImmediate(resolve))
}

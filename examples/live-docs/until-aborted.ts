/** Resolves when the signal says so; rejects if `work` says that it failed. */
export function untilAborted(
  signal: AbortSignal,
  work: (fail: (error: unknown) => void) => unknown = () => {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    if (signal.aborted) resolve()
    work(reject)
  })
}

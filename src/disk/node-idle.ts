/** When the process has nothing left to do and is about to exit by itself. Work begun then is still done. */
import process from 'node:process'

/** Answers how to be no longer told. */
export function onceIdle(tell: () => void): () => void {
  process.once('beforeExit', tell)
  return () => process.off('beforeExit', tell)
}

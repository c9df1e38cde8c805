/** A follower that tells its parent when it was told of each commit: `live-follower.ts DIRECTORY`. */
import { StorageContext } from '../src/index.ts'

export interface Told {
  number: number
  atMs: number
}

/** Of a clock that all processes of a machine share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

const [directory] = process.argv.slice(2)
if (directory !== undefined && process.send) {
  const storage = await StorageContext.fromDefaults({ persistDir: directory, follow: true })
  storage.on('change', ({ commit: { number } }) => {
    if (process.connected) process.send!({ number, atMs: nowMs() } satisfies Told, () => {}) // Nobody may listen any more.
  })
  process.once('disconnect', () => void storage.close())
  process.send({ number: 0, atMs: nowMs() } satisfies Told)
}

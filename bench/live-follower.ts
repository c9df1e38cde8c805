/** A follower that tells its parent when it was told of each commit, and when asked, how much it has worked until now: `live-follower.ts DIRECTORY`. */
import { StorageContext } from '../src/index.ts'
import { cpuMs } from './measure.ts'

export type Report =
  | { is: 'told'; number: number; atMs: number }
  | { is: 'ready' }
  | { is: 'worked'; cpuMs: number }

/** Of a clock that all processes of a machine share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

const [directory] = process.argv.slice(2)
if (directory !== undefined && process.send) {
  // Nobody may listen any more.
  const report = (what: Report): void => void (process.connected && process.send!(what, () => {}))
  const storage = await StorageContext.fromDefaults({ persistDir: directory, follow: true })
  storage.on('change', ({ commit: { number } }) => report({ is: 'told', number, atMs: nowMs() }))
  process.on('message', () => report({ is: 'worked', cpuMs: cpuMs() }))
  process.once('disconnect', () => void storage.close())
  report({ is: 'ready' })
}

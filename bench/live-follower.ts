/**
 * A follower, `live-follower.ts DIRECTORY`: it tells its parent when it was told of each commit, unless it is to be quiet; and when asked, how much it has worked until it was
 * told of a commit.
 */
import { StorageContext } from '../src/index.ts'
import { cpuMs } from './measure.ts'

export type Report =
  | { is: 'told'; number: number; atMs: number }
  | { is: 'ready' }
  | { is: 'worked'; cpuMs: number }

export type Request = { isQuiet: boolean } | { workedUntil: number }

/** Of a clock that all processes of a machine share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

const [directory] = process.argv.slice(2)
if (directory !== undefined && process.send) {
  // Nobody may listen any more.
  const report = (what: Report): void => void (process.connected && process.send!(what, () => {}))
  const storage = await StorageContext.fromDefaults({ persistDir: directory, follow: true })
  let told = 0
  let isQuiet = false
  let workedUntil = Infinity
  const answer = (): void => {
    if (told < workedUntil) return
    workedUntil = Infinity
    report({ is: 'worked', cpuMs: cpuMs() })
  }
  storage.on('change', ({ commit: { number } }) => {
    told = number
    if (!isQuiet) report({ is: 'told', number, atMs: nowMs() })
    answer()
  })
  process.on('message', (request: Request) => {
    if ('isQuiet' in request) isQuiet = request.isQuiet
    else workedUntil = request.workedUntil
    answer()
  })
  process.once('disconnect', () => void storage.close())
  report({ is: 'ready' })
}

/** The operating system's random bytes. Salts are few and often asked for: they come from some that were fetched in advance, since fetching costs the same for 8 as for 4,096. */
import { randomFillSync } from 'node:crypto'

const fetchedBytes = 4096
let fetched = new Uint8Array(0)

/** With bytes that nobody else is given. */
export function randomFill(target: Uint8Array): void {
  if (target.length > fetchedBytes / 4) {
    randomFillSync(target)
    return
  }
  if (fetched.length < target.length) fetched = randomFillSync(new Uint8Array(fetchedBytes))
  target.set(fetched.subarray(0, target.length))
  fetched = fetched.subarray(target.length)
}

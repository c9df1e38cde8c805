/** Makes reads come from the disk again. Only Linux lets us, and only if this user may. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/** What others left to be written, and never synced, must not be written in the time of who comes next. */
export function settleDisk(): void {
  if (process.platform !== 'win32') execFileSync('sync')
}

/** Answers why the cache could not be dropped, if it could not. */
export function dropPageCache(): string | undefined {
  if (process.platform !== 'linux') return `${process.platform} has no way to drop the page cache`
  try {
    execFileSync('sync')
    writeFileSync('/proc/sys/vm/drop_caches', '3')
    return undefined
  } catch (error) {
    return `/proc/sys/vm/drop_caches: ${(error as NodeJS.ErrnoException).code ?? String(error)}`
  }
}

/** What this machine's disk can do: the same bytes, appended to one file and synced, by nobody's rules. */
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { spread, type Spread } from './measure.ts'

const chunkBytes = 1024 * 1024

export async function appendAndSync(parent: string, bytes: number, times: number): Promise<Spread> {
  const directory = mkdtempSync(join(parent, 'bound-'))
  const file = await open(join(directory, 'plain'), 'w')
  try {
    const chunk = Buffer.alloc(Math.min(bytes, chunkBytes), 7)
    const all: number[] = []
    for (let at = 0; at < times; at++) {
      const start = performance.now()
      for (let left = Math.round(bytes); left > 0; left -= chunk.length)
        await file.write(chunk, 0, Math.min(left, chunk.length))
      await file.datasync()
      all.push(performance.now() - start)
    }
    return spread(all)
  } finally {
    await file.close()
    rmSync(directory, { recursive: true })
  }
}

/** A process that opens a directory again and again, beside its writer, and tells what it saw. */
import { StorageContext } from '../../src/index.ts'
import type { Shape } from './contents.ts'
import { expectContents, shownCommit } from './look.ts'
import { nowMs, obey, report } from './reporting.ts'

export interface ReaderOrder {
  directory: string
  shape: Shape
  readOnly: boolean
  forMs: number
  /** The only writer. */
  actor: string
}

obey(async ({ directory, shape, readOnly, forMs, actor }: ReaderOrder) => {
  const end = nowMs() + forMs
  while (nowMs() < end) {
    const openedAtMs = nowMs()
    const onWarning = (warning: string): void => report({ is: 'warned', warning })
    const storage = await StorageContext.fromDefaults({ persistDir: directory, readOnly, onWarning })
    const number = await shownCommit(storage)
    report({ is: 'saw', number, openedAtMs })
    // The writer may be several commits further by now: this context is to show what it opened.
    const first = Math.max(1, number - shape.window)
    const authors = Array.from({ length: number - first + 1 }, (_, index) => ({
      number: first + index,
      actor,
    }))
    await expectContents(storage, authors, shape)
    await storage.close()
  }
  report({ is: 'done' })
})

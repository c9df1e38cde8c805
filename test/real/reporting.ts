/** The child's end: reports are in the pipe before the call returns, so that a kill loses none; and who has no parent ends. */
import { writeSync } from 'node:fs'
import { VarveError } from '../../src/index.ts'
import type { Report } from './processes.ts'

export function report(news: Report): void {
  writeSync(1, `${JSON.stringify(news)}\n`)
}

/** Of a clock that all processes of a machine share and nobody sets. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Says that it is ready, and then runs every order. What a `VarveError` ends is reported; anything else is wrong. */
export function obey<O>(run: (order: O) => Promise<void>): void {
  process.once('disconnect', () => process.exit())
  process.on('message', (order: O) => {
    run(order).catch((error: unknown) => {
      if (error instanceof VarveError) report({ is: 'failed', code: error.code, message: error.message })
      else report({ is: 'wrong', message: error instanceof Error ? error.stack! : String(error) })
    })
  })
  report({ is: 'ready' })
}

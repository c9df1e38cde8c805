/** Tells somebody who watches how far long work is, and nothing about work that is over within a second. */
import { performance } from 'node:perf_hooks'
import type { ExportProgress } from '../interop/export-report.ts'
import type { ReadProgress } from '../interop/llamaindex-directory.ts'
import { size } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

const patienceMs = 1000
const betweenMs = 100

export function showProgress(terminal: Terminal, doing: string): (progress: ReadProgress) => void {
  return patiently(terminal, ({ bytes, totalBytes, phase = doing }) => {
    const percent = totalBytes > 0 ? Math.min(100, Math.floor((bytes / totalBytes) * 100)) : 100
    return `${phase} … ${percent} % of ${size(totalBytes)}`
  })
}

/** Where nobody knows how much it will be. */
export function showWritten(terminal: Terminal): (progress: ExportProgress) => void {
  return patiently(terminal, ({ phase, bytes }) => `writing ${phase} … ${size(bytes)}`)
}

/** Told of bytes, it shows how many there were. */
export function showBytes(terminal: Terminal, doing: string): (bytes: number) => void {
  let all = 0
  const show = patiently(terminal, () => `${doing} … ${size(all)}`)
  return (bytes) => {
    all += bytes
    show(all)
  }
}

function patiently<P>(terminal: Terminal, text: (progress: P) => string): (progress: P) => void {
  let next = performance.now() + patienceMs
  return (progress) => {
    const now = performance.now()
    if (now < next) return
    next = now + betweenMs
    terminal.status(text(progress))
  }
}

/** Tells somebody who watches how far long work is, and nothing about work that is over within a second. */
import { performance } from 'node:perf_hooks'
import type { InspectionProgress } from '../history/inspection.ts'
import { size } from './plain-text.ts'
import type { Terminal } from './terminal.ts'

const patienceMs = 1000
const betweenMs = 100

export function showProgress(terminal: Terminal, doing: string): (progress: InspectionProgress) => void {
  let next = performance.now() + patienceMs
  return ({ bytes, totalBytes, phase = doing }) => {
    const now = performance.now()
    if (now < next) return
    next = now + betweenMs
    const percent = totalBytes > 0 ? Math.min(100, Math.floor((bytes / totalBytes) * 100)) : 100
    terminal.status(`${phase} … ${percent} % of ${size(totalBytes)}`)
  }
}

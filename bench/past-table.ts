/** What the past costs at all sizes, side by side. */
import type { Figures } from './past-jobs.ts'
import type { Spread } from './measure.ts'

export type PastResults = Map<number, Record<string, Figures>>

type Row = [label: string, job: string, figure: string, format: (figure: number) => string]

const ms = (figure: number): string => (figure < 10 ? `${figure.toFixed(2)} ms` : `${figure.toFixed(0)} ms`)
const mb = (figure: number): string => `${(figure / 1e6).toFixed(1)} MB`
const ratio = (figure: number): string => `${figure.toFixed(3)} ×`

const rows: Row[] = [
  ['one of many small commits', 'loadHistory', 'commitMs', ms],
  ['  log and snapshots, after all of them', 'loadHistory', 'logBytes', mb],
  ['  of it snapshots', 'loadHistory', 'snapshotBytes', mb],
  ['open the present to first getNode', 'present', 'ms', ms],
  ['as of any moment, the worst', 'past', 'worstMs', ms],
  ['  / the present', 'past', 'ratio', ratio],
  ['exact top-10 as of the midst, the first time', 'searchPast', 'firstMs', ms],
  ['  from then on', 'searchPast', 'ms', ms],
  ['as of a hash, in an open context', 'byHash', 'ms', ms],
  ['  / opening the present', 'byHash', 'ratio', ratio],
  ['open to the first entry of the log', 'logFirst', 'ms', ms],
  ['  / opening the present', 'logFirst', 'ratio', ratio],
  ['versions of a key that seldom changed', 'versions', 'seldomMs', ms],
  ['  the first time', 'versions', 'firstMs', ms],
  ['  of one that changed 20 times', 'versions', 'oftenMs', ms],
  ['diff over 100 commits', 'diff', 'ms', ms],
  ['  keys that differ', 'diff', 'differing', String],
  ['  for each of them', 'diff', 'perKeyMs', ms],
  ['verify', 'verify', 'ms', ms],
  ['  plain reading + SHA-256 of as much', 'verify', 'plainMs', ms],
  ['  verify / plain', 'verify', 'ratio', ratio],
  ['  the same in CPU time', 'verify', 'cpuRatio', ratio],
  ['  reading + SHA-256 of each item and part', 'verify', 'floorMs', ms],
  ['  verify / that', 'verify', 'floorRatio', ratio],
  ['  the same in CPU time', 'verify', 'floorCpuRatio', ratio],
  ['erase one node of this history', 'eraseNode', 'ms', ms],
  ['  of it CPU time', 'eraseNode', 'cpuMs', ms],
  ['  closing then, with its snapshots made anew', 'eraseNode', 'closeMs', ms],
  ['  as of any moment then, the worst', 'eraseNode', 'worstMs', ms],
  ['  / the present', 'eraseNode', 'ratio', ratio],
  ['erase one of 10,000 vectors added at once', 'eraseRow', 'ms', ms],
  ['  of it CPU time', 'eraseRow', 'cpuMs', ms],
  ['  written / the vector', 'eraseRow', 'ratio', ratio],
  ['  beside it on disk', 'eraseRow', 'matrixBytes', mb],
]

export function printPast(results: PastResults): void {
  console.log('Times of many runs: median (95th percentile).\n')
  const cells = [['nodes', ...[...results.keys()].map((nodes) => nodes.toLocaleString('en'))]]
  for (const [label, job, figure, format] of rows) {
    const figures = [...results.values()].map((result) => result[job]?.[figure])
    if (figures.some((value) => value !== undefined))
      cells.push([label, ...figures.map((value) => text(value, format))])
  }
  for (const row of cells) {
    console.log(row.map((cell, at) => (at === 0 ? cell.padEnd(44) : cell.padStart(20))).join(''))
  }
}

function text(figure: number | Spread | undefined, format: (figure: number) => string): string {
  if (figure === undefined) return ''
  return typeof figure === 'number' ? format(figure) : `${format(figure.median)} (${format(figure.p95)})`
}

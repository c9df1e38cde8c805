/** The figures of all sizes, side by side. */
import type { Figures } from './jobs.ts'
import type { Spread } from './measure.ts'

interface Report {
  machine: string
  /** Why nothing was measured cold. */
  notCold: string | undefined
  results: ReadonlyMap<number, Record<string, Figures>>
}

type Row = [label: string, job: string, figure: string, format: (figure: number) => string]

const ms = (figure: number): string => (figure < 10 ? `${figure.toFixed(2)} ms` : `${figure.toFixed(0)} ms`)
const us = (figure: number): string => `${(figure * 1000).toFixed(0)} µs`
const mb = (figure: number): string => `${(figure / 1e6).toFixed(1)} MB`
const bytes = (figure: number): string => `${Math.round(figure).toLocaleString('en')} B`
const ratio = (figure: number): string => `${figure.toFixed(3)} ×`

const rows: Row[] = [
  ['bulk load, to durable', 'load', 'toDurableMs', ms],
  ['  of it persist()', 'load', 'persistMs', ms],
  ['  plain append + fdatasync of as much', 'load', 'plainAppendMs', ms],
  ['  bytes / payload', 'load', 'bytesPerPayload', ratio],
  ['  on disk without snapshots', 'load', 'logBytes', mb],
  ['  snapshots', 'load', 'snapshotBytes', mb],
  ['  growth of peak RSS', 'load', 'rssGrowthBytes', mb],
  ['  close(), with its snapshot', 'load', 'closeMs', ms],
  ['insert one node and persist', 'insertOne', 'insertOneMs', ms],
  ['  plain append + fdatasync of as much', 'insertOne', 'plainAppendMs', ms],
  ['  bytes a persist', 'insertOne', 'bytesPerPersist', bytes],
  ['  bytes / payload', 'insertOne', 'bytesPerPayload', ratio],
  ['insert 100 nodes and persist', 'insertHundred', 'insertHundredMs', ms],
  ['  plain append + fdatasync of as much', 'insertHundred', 'plainAppendMs', ms],
  ['  bytes / payload', 'insertHundred', 'bytesPerPayload', ratio],
  ['delete 1 % and persist', 'deleteOnePercent', 'deleteMs', ms],
  ['  bytes a node', 'deleteOnePercent', 'bytesPerNode', bytes],
  ['open to first getNode', 'firstGet', 'openToFirstGetMs', ms],
  ['  cold', 'coldFirstGet', 'openToFirstGetMs', ms],
  ['open to first query, all vectors read', 'firstQuery', 'openToFirstQueryMs', ms],
  ['  cold', 'coldFirstQuery', 'openToFirstQueryMs', ms],
  ['  the matrix', 'firstQuery', 'matrixBytes', mb],
  ['  growth of peak RSS beyond it', 'firstQuery', 'beyondMatrixBytes', mb],
  ['random getNode', 'gets', 'getNodeMs', us],
  ['  cold', 'coldGets', 'getNodeMs', us],
  ['top-10 query of an index, with nodes', 'topTen', 'topTenMs', ms],
  ['  of its vector store alone', 'topTen', 'bareTopTenMs', ms],
  ['one of many small commits', 'loadHistory', 'commitMs', ms],
  ['  log and snapshots, after all of them', 'loadHistory', 'logBytes', mb],
  ['  of it snapshots', 'loadHistory', 'snapshotBytes', mb],
  ['open the present to first getNode', 'present', 'ms', ms],
  ['as of any moment, the worst', 'past', 'worstMs', ms],
  ['  / the present', 'past', 'ratio', ratio],
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
  ['erase one of 10,000 vectors added at once', 'eraseRow', 'ms', ms],
  ['  of it CPU time', 'eraseRow', 'cpuMs', ms],
  ['  bytes written', 'eraseRow', 'writtenBytes', bytes],
  ['  / the vector', 'eraseRow', 'ratio', ratio],
  ['  beside it on disk', 'eraseRow', 'matrixBytes', mb],
]

export function printTable({ machine, notCold, results }: Report): void {
  console.log(`\n${machine}`)
  console.log('Times of many runs: median (95th percentile).\n')
  const cells = [['nodes', ...[...results.keys()].map((nodes) => nodes.toLocaleString('en'))]]
  for (const [label, job, figure, format] of rows) {
    const figures = [...results.values()].map((result) => result[job]?.[figure])
    if (figures.some((value) => value !== undefined))
      cells.push([label, ...figures.map((value) => text(value, format))])
  }
  for (const row of cells) {
    console.log(row.map((cell, at) => (at === 0 ? cell.padEnd(40) : cell.padStart(20))).join(''))
  }
  printGrowth(results)
  if (notCold !== undefined) console.log(`\nNothing was measured cold: ${notCold}.`)
}

function printGrowth(results: Report['results']): void {
  for (const [what, job, figure] of [
    ['Inserting one node', 'insertOne', 'insertOneMs'],
    ['One key of a diff', 'diff', 'perKeyMs'],
  ] as const) {
    const medians = [...results].flatMap(([nodes, result]) =>
      result[job] ? [[nodes, median(result[job][figure])] as const] : [],
    )
    const [least, most] = [medians[0], medians.at(-1)]
    if (!least || !most || least === most) continue
    console.log(`\n${what} at ${most[0]} costs ${ratio(most[1] / least[1])} what it costs at ${least[0]}.`)
  }
}

function median(figure: number | Spread | undefined): number {
  return typeof figure === 'object' ? figure.median : (figure ?? Number.NaN)
}

function text(figure: number | Spread | undefined, format: (figure: number) => string): string {
  if (figure === undefined) return ''
  return typeof figure === 'number' ? format(figure) : `${format(figure.median)} (${format(figure.p95)})`
}

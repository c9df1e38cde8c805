/** The results as tables in Markdown, one a size. */
import type { Contestant } from './contestant.ts'
import type { ContestantName } from './contestants.ts'
import type { Samples } from './jobs.ts'
import { share } from './measure.ts'

/** A text says why there is nothing. */
export type Measured = Samples | string

/** Of one size: by job, then by contestant. */
export type Results = Record<string, Partial<Record<ContestantName, Measured>>>

type Named = Contestant & { name: ContestantName }

interface Row {
  label: string
  job: string
  figure: string
  /** Whom Varve is held against. */
  among: readonly Contestant['keeps'][]
}

const durable: Row['among'] = ['durable']
const whole: Row['among'] = ['durable', 'not synced']
const everyone: Row['among'] = [...whole, 'vectors only']

const rows: Row[] = [
  { label: 'bulk load, to durable', job: 'load', figure: 'ms', among: durable },
  { label: 'bytes on disk after it', job: 'load', figure: 'diskBytes', among: whole },
  { label: 'memory for it', job: 'load', figure: 'rssBytes', among: whole },
  { label: 'hashing the payload, SHA-256', job: 'hash', figure: 'sha256Ms', among: [] },
  { label: 'hashing the payload, CRC-32', job: 'hash', figure: 'crc32Ms', among: [] },
  { label: 'insert one', job: 'insertOne', figure: 'ms', among: durable },
  { label: 'insert one, 32 callers', job: 'insertTogether', figure: 'ms', among: durable },
  { label: 'insert 100 in one commit', job: 'insertHundred', figure: 'ms', among: durable },
  { label: 'update 1 %', job: 'update', figure: 'ms', among: durable },
  { label: 'delete 1 %', job: 'delete', figure: 'ms', among: durable },
  { label: 'open to first getNode', job: 'open', figure: 'ms', among: durable },
  { label: 'open to first getNode, cold', job: 'openCold', figure: 'ms', among: durable },
  { label: 'memory after opening', job: 'open', figure: 'rssBytes', among: whole },
  { label: 'open, all in memory', job: 'openAll', figure: 'ms', among: durable },
  { label: 'random getNode, warm', job: 'gets', figure: 'ms', among: durable },
  { label: 'random getNode, cold', job: 'getsCold', figure: 'ms', among: durable },
  { label: 'exact top-10', job: 'topTen', figure: 'ms', among: everyone },
  { label: 'memory beyond the matrix', job: 'topTen', figure: 'rssBytes', among: everyone },
  { label: '1,000 commits of one node, each', job: 'commits', figure: 'ms', among: durable },
  { label: 'bytes on disk for each', job: 'commits', figure: 'commitBytes', among: whole },
  { label: 'files after them', job: 'commits', figure: 'files', among: whole },
  { label: 'open to first getNode after them', job: 'openCommits', figure: 'ms', among: durable },
]

export const tableNote = 'Medians, and how far the middle half of the samples lie from them.'

export function table(nodes: number, results: Results, contestants: readonly Named[]): string {
  const names = contestants.map(({ name, keeps }) => (keeps === 'durable' ? name : `${name} (${keeps})`))
  const lines = [[`${nodes.toLocaleString('en')} nodes`, ...names, 'varve / best peer', 'varve / bound']]
  for (const row of rows) {
    const samples = new Map(contestants.map(({ name }) => [name, samplesOf(results, row, name)]))
    if ([...samples.values()].every((all) => typeof all === 'string')) continue
    const cells = contestants.map(({ name }) => cell(samples.get(name)!, row))
    lines.push([row.label, ...cells, bestPeer(row, samples, contestants), boundRatio(samples)])
  }
  return aligned(lines)
}

function samplesOf(results: Results, { job, figure }: Row, name: ContestantName): readonly number[] | string {
  const samples = results[job]?.[name] ?? '–'
  return typeof samples === 'string' ? samples : samples[figure]!
}

function cell(samples: readonly number[] | string, { figure }: Row): string {
  if (typeof samples === 'string') return samples
  const median = share(samples, 0.5)
  if (samples.length < 3 || median === 0) return text(median, figure)
  const spread = (share(samples, 0.75) - share(samples, 0.25)) / 2 / median
  return `${text(median, figure)} ±${Math.round(spread * 100)} %`
}

function text(value: number, figure: string): string {
  if (figure.endsWith('Bytes'))
    return value < 1e5 ? `${(value / 1e3).toFixed(1)} KB` : `${(value / 1e6).toFixed(1)} MB`
  if (figure === 'files') return String(value)
  if (value < 0.1) return `${(value * 1000).toPrecision(2)} µs`
  return value < 100 ? `${value.toPrecision(3)} ms` : `${Math.round(value).toLocaleString('en')} ms`
}

type RowSamples = ReadonlyMap<ContestantName, readonly number[] | string>

function bestPeer({ among }: Row, samples: RowSamples, contestants: readonly Named[]): string {
  const peers = contestants
    .filter(({ name, keeps }) => name !== 'varve' && name !== 'bound' && among.includes(keeps))
    .map(({ name }) => ({ name, median: medianOf(samples, name) }))
    .filter(({ median }) => median > 0)
  if (peers.length === 0) return '–'
  const best = peers.reduce((a, b) => (b.median < a.median ? b : a))
  return `${ratio(medianOf(samples, 'varve') / best.median)} (${best.name})`
}

function boundRatio(samples: RowSamples): string {
  return ratio(medianOf(samples, 'varve') / medianOf(samples, 'bound'))
}

function medianOf(samples: RowSamples, name: ContestantName): number {
  const all = samples.get(name)
  return all === undefined || typeof all === 'string' ? Number.NaN : share(all, 0.5)
}

function ratio(value: number): string {
  return !Number.isFinite(value) ? '–' : `${value < 10 ? value.toPrecision(3) : Math.round(value)} ×`
}

function aligned(lines: readonly string[][]): string {
  const widths = lines[0]!.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)))
  const rendered = lines.map((line) => `| ${line.map((text, at) => text.padEnd(widths[at]!)).join(' | ')} |`)
  rendered.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  return rendered.join('\n')
}

/** The sweep on all cores: each child takes its share of the damages. A child that says nothing for a minute hangs, and is ended. */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { names, read } from './golden.ts'
import { add, nameOf, sweep, type Counts } from './sweep.ts'

export interface SweepRequest {
  format: string
  seed: number
  all: boolean
  only: string
}

export interface SweepReport {
  counts: Counts
  /** What went wrong, for people, with the command that repeats it. */
  failures: string[]
}

type Message = { is: 'at'; name: string } | ({ is: 'done' } & SweepReport)

const silenceMs = 60_000

export async function sweepOnAllCores(request: SweepRequest): Promise<SweepReport> {
  const of = availableParallelism()
  const report: SweepReport = { counts: {}, failures: [] }
  await Promise.all(Array.from({ length: of }, (_, index) => runChild({ ...request, index, of }, report)))
  return report
}

export function commandOf({ seed, all, only }: SweepRequest): string {
  return `npm run damage -- --seed ${seed}${all ? ' --all' : ''}${only ? ` --only "${only}"` : ''}`
}

interface Share extends SweepRequest {
  index: number
  of: number
}

async function runChild(share: Share, report: SweepReport): Promise<void> {
  const script = fileURLToPath(new URL('damage-child.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(share)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let at = 'the beginning'
  const watch = (): NodeJS.Timeout => setTimeout(() => child.kill('SIGKILL'), silenceMs)
  let timer = watch()
  child.on('message', (message: Message) => {
    clearTimeout(timer)
    timer = watch()
    if (message.is === 'at') {
      at = message.name
      return
    }
    add(report.counts, message.counts)
    report.failures.push(...message.failures)
  })
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve)
    child.once('error', () => resolve(null))
  })
  clearTimeout(timer)
  if (code !== 0) report.failures.push(`A child ended with ${code ?? 'a hang'}, at or soon after ${at}.`)
}

/** In the child. */
export async function runShare(share: Share): Promise<void> {
  const { format, only } = share
  const tell = (message: Message): void => void process.send?.(message)
  const goldens = names(format).map((name) => read(format, name))
  let toldMs = 0
  const onDamage = (name: string): void => {
    if (Date.now() - toldMs < 1000) return
    toldMs = Date.now()
    tell({ is: 'at', name })
  }
  for (const golden of goldens) {
    const { counts, failures } = await sweep(golden, goldens, { ...share, shard: share, only, onDamage })
    const texts = failures.map(({ damage, what }) => {
      const name = nameOf(golden.name, damage)
      return `${name}\n  ${what}\n  ${commandOf({ ...share, only: name })}\n`
    })
    tell({ is: 'done', counts, failures: texts })
  }
}

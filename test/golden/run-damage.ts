/**
 * `npm run damage -- --seed 7 --all`: hurts every golden directory in every way, on all cores. What a failure prints repeats it. `--only TEXT` tries only
 * the damages whose name holds the text.
 */
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { names, read } from './golden.ts'
import { findLastGroup } from './last-group.ts'
import { add, nameOf, sweep, table, type Counts } from './sweep.ts'
import { presentFormat } from './make.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    all: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    shard: { type: 'string' },
  },
})
const { all, only } = values
const seed = Number(values.seed)

type Report = { is: 'at'; name: string } | { is: 'done'; counts: Counts; failures: { name: string; what: string }[] }

if (values.shard === undefined) await runShards(availableParallelism())
else {
  const [index, of] = values.shard.split('/').map(Number) as [number, number]
  await runShard({ index, of })
}

async function runShards(of: number): Promise<void> {
  const startedMs = Date.now()
  const total: Counts = {}
  let isBad = false
  const shards = Array.from({ length: of }, (_, index) =>
    startShard(`${index}/${of}`, ({ counts, failures }) => {
      add(total, counts)
      for (const { name, what } of failures) {
        isBad = true
        console.log(`\n${name}\n  ${what}\n  npm run damage -- --seed ${seed}${all ? ' --all' : ''} --only '${name}'`)
      }
    }),
  )
  await Promise.all(shards)
  console.log(table(total))
  console.log(`seed ${seed}, ${all ? 'every bit' : 'one bit of every byte'}, ${Math.round((Date.now() - startedMs) / 1000)} s`)
  console.log(`npm run damage -- --seed ${seed}${all ? ' --all' : ''}`)
  if (isBad) process.exitCode = 1
  else console.log('Silently wrong: 0. Other errors: 0. Hangs: 0.')
}

/** A child that says nothing for a minute hangs, and is ended. */
async function startShard(shard: string, onDone: (report: Extract<Report, { is: 'done' }>) => void): Promise<void> {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), '--seed', String(seed), '--only', only, '--shard', shard]
  const child = spawn(process.execPath, all ? [...args, '--all'] : args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  let at = 'the beginning'
  const watch = (): NodeJS.Timeout => setTimeout(() => child.kill('SIGKILL'), 60_000)
  let timer = watch()
  child.on('message', (report: Report) => {
    clearTimeout(timer)
    timer = watch()
    if (report.is === 'at') at = report.name
    else onDone(report)
  })
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  clearTimeout(timer)
  if (code === 0) return
  console.log(`Shard ${shard} ended with ${code ?? 'a hang'}, at or after ${at}.`)
  process.exitCode = 1
}

async function runShard(shard: { index: number; of: number }): Promise<void> {
  const tell = (report: Report): void => void process.send?.(report)
  const goldens = names(presentFormat).map((name) => read(presentFormat, name))
  let toldMs = 0
  const onDamage = (name: string): void => {
    if (Date.now() - toldMs < 1000) return
    toldMs = Date.now()
    tell({ is: 'at', name })
  }
  for (const golden of goldens) {
    await findLastGroup(golden)
    const { counts, failures } = await sweep(golden, goldens, { seed, all, only, shard, onDamage })
    tell({
      is: 'done',
      counts,
      failures: failures.map(({ damage, what }) => ({ name: nameOf(golden.name, damage), what })),
    })
  }
}

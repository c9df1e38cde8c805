/** A module run in a process of its own, which answers with one message. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'

interface FreshProcess {
  /** Of a file in this folder. */
  module: string
  args: string[]
  /** A folder that gets a CPU profile. */
  profile?: string | undefined
  timeoutMs?: number
}

/** `undefined`: it was ended since it took longer than `timeoutMs`. */
export async function inFreshProcess<Answer>({
  module,
  args,
  profile,
  timeoutMs,
}: FreshProcess): Promise<Answer | undefined> {
  const script = new URL(`./${module}${extname(import.meta.filename)}`, import.meta.url)
  const profiling = profile
    ? [
        '--cpu-prof',
        `--cpu-prof-dir=${profile}`,
        `--cpu-prof-name=${args.slice(0, 2).join('-')}-${Date.now()}.cpuprofile`,
      ]
    : []
  const child = fork(script, args, {
    execArgv: [...process.execArgv, ...profiling],
    timeout: timeoutMs,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    killSignal: 'SIGKILL',
  })
  let answer: Answer | undefined
  child.on('message', (message) => (answer = message as Answer))
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  if (signal === 'SIGKILL' && timeoutMs !== undefined) return undefined
  if (answer === undefined || code !== 0)
    throw new Error(`${module} ${args.join(' ')} ended with ${code ?? signal}.`)
  return answer
}

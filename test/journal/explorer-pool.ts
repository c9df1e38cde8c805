/** The explorer on all cores: each child explores one workload at a time. A child that says nothing for two minutes hangs, and is ended. */
import { spawn, type ChildProcess } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Counts, ExploreOptions } from './explorer.ts'

export interface Job extends Omit<ExploreOptions, 'onProgress'> {
  workload: string
}

export type Answer =
  | { is: 'at'; counts: Counts }
  | { is: 'done'; counts: Counts }
  | { is: 'failed'; message: string }

const silenceMs = 120_000

export class ExplorerPool {
  readonly #idle: ChildProcess[] = []
  readonly #waiting: ((child: ChildProcess) => void)[] = []
  readonly #all: ChildProcess[] = []

  constructor(size = availableParallelism()) {
    for (let index = 0; index < size; index++) this.#free(this.#start())
  }

  async explore(job: Job): Promise<Counts> {
    const child =
      this.#idle.pop() ?? (await new Promise<ChildProcess>((resolve) => this.#waiting.push(resolve)))
    try {
      return await answerOf(child, job)
    } finally {
      this.#free(hasEnded(child) ? this.#start() : child)
    }
  }

  close(): void {
    for (const child of this.#all) child.kill()
  }

  #start(): ChildProcess {
    const script = fileURLToPath(new URL('explorer-child.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', script], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#all.push(child)
    return child
  }

  #free(child: ChildProcess): void {
    const next = this.#waiting.shift()
    if (next) next(child)
    else this.#idle.push(child)
  }
}

/** By itself, or because it said nothing. */
function hasEnded({ exitCode, signalCode, killed }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null || killed
}

function answerOf(child: ChildProcess, job: Job): Promise<Counts> {
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      clearTimeout(timer)
      child.off('message', onMessage)
      child.off('close', onClose)
    }
    const onMessage = (answer: Answer): void => {
      if (answer.is === 'at') return void timer.refresh()
      settled()
      if (answer.is === 'done') resolve(answer.counts)
      else reject(new Error(answer.message))
    }
    const onClose = (): void => {
      settled()
      reject(new Error(`${job.workload}, seed ${job.seed}: the process ended`))
    }
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      settled()
      reject(new Error(`${job.workload}, seed ${job.seed}: nothing was heard for ${silenceMs / 1000} s`))
    }, silenceMs)
    child.on('message', onMessage)
    child.on('close', onClose)
    child.send(job)
  })
}

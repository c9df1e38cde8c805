/**
 * Child processes that tell what they do, line by line, through a pipe that keeps what was written when they are killed. None outlives its
 * parent, nor the test that started it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a child tells. `wrong` ends every test. */
export type Report =
  | { is: 'ready' | 'opened' | 'closing' | 'closed' | 'held' | 'done' }
  /** What the directory held when the child began to write. */
  | { is: 'began' | 'attempted'; number: number }
  | { is: 'acknowledged'; number: number; atMs: number }
  | { is: 'saw'; number: number; openedAtMs: number }
  | { is: 'weighs'; number: number; heapBytes: number }
  | { is: 'warned'; warning: string }
  /** A digest of everything. */
  | { is: 'holds'; digest: string }
  | { is: 'refused'; what: string }
  | { is: 'failed'; code: string; message: string }
  | { is: 'wrong'; message: string }

export class Child {
  readonly reports: Report[] = []
  readonly #process: ChildProcess
  readonly #ended: Promise<void>
  #stderr = ''
  #watchers: (() => void)[] = []
  #isOver = false

  constructor(process: ChildProcess) {
    this.#process = process
    this.#ended = new Promise((resolve) => {
      process.once('error', resolve)
      process.once('close', resolve)
    })
    void this.#ended.then(() => {
      living.delete(this)
      this.#isOver = true
      this.#wake()
    })
    let rest = ''
    process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) this.reports.push(JSON.parse(line) as Report)
      this.#wake()
    })
    process.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    living.add(this)
  }

  /** What it reported before is forgotten: it must be done with it. */
  order(order: object): void {
    this.reports.length = 0
    this.#process.send(order, () => {}) // Whoever was killed does not hear it, and his reports tell.
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name)
  }

  /** As Linux names it: `T` is stopped. Elsewhere a signal is taken to have arrived. */
  state(): string {
    if (process.platform !== 'linux') return 'T'
    return /\) (\w) /.exec(readFileSync(`/proc/${this.#process.pid}/stat`, 'utf8'))?.[1] ?? ''
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended()
  }

  /** Resolves when the process is gone and all its reports are here. */
  async ended(): Promise<void> {
    await this.#ended
    this.mustBeRight()
  }

  /** Throws if the child found something wrong, or ended in a way that no test means. */
  mustBeRight(): void {
    const wrong = this.reports.find((report) => report.is === 'wrong')
    if (wrong) throw new Error(`A child found: ${wrong.message}`)
    if (this.#isOver && this.#stderr !== '') throw new Error(`A child ended with: ${this.#stderr}`)
  }

  numbers(is: 'began' | 'attempted' | 'acknowledged' | 'saw'): number[] {
    return this.reports.flatMap((report) => (report.is === is ? [report.number] : []))
  }

  /** The first report of a kind from place `from` on; rejects if the process ends without one. */
  async until<R extends Report['is']>(is: R, from = 0): Promise<Extract<Report, { is: R }>> {
    for (;;) {
      const found = this.reports.slice(from).find((report) => report.is === is)
      if (found) return found as Extract<Report, { is: R }>
      this.mustBeRight()
      if (this.#isOver) throw new Error(`A child ended without being ${is}: ${JSON.stringify(this.reports)}`)
      await new Promise<void>((wake) => this.#watchers.push(wake))
    }
  }

  #wake(): void {
    for (const wake of this.#watchers.splice(0)) wake()
  }
}

const living = new Set<Child>()

function killAll(): void {
  for (const child of living) child.signal('SIGKILL')
}

process.once('exit', killAll)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    killAll()
    process.exit(1)
  })
}

/** For `afterEach`: no child lives on, whatever became of the test. */
export async function endChildren(): Promise<void> {
  const children = [...living]
  killAll()
  await Promise.all(children.map((child) => child.ended().catch(() => {}))) // The test has told what was wrong.
}

/** Starts a program of this folder, and waits until it has loaded everything; `under` are commands that run it. */
export async function startChild(file: string, under: readonly string[] = []): Promise<Child> {
  const [command, ...parameters] = [
    ...under,
    process.execPath,
    '--import',
    'tsx',
    join(import.meta.dirname, file),
  ]
  const child = new Child(spawn(command, parameters, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }))
  await child.until('ready')
  return child
}

/** The world of a command: where its words go, whether it may colour them, and how it is told to stop. */
import process from 'node:process'
import { styleText } from 'node:util'

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

export interface Terminal {
  /** One line to whoever asked. */
  print(line: string): void
  /** One line beside the answer. */
  complain(line: string): void
  /** Text without a line's end, for the argument parser. */
  write(text: string, to: 'output' | 'errors'): void
  /** A line that the next one replaces; `''` takes it away. Nothing where nobody watches. */
  status(line: string): void
  style(style: Style, text: string): string
  styleError(style: Style, text: string): string
  /** Runs work that an interrupt stops in order. */
  interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Runs work that an interrupt is the proper end of. */
  untilStopped(work: (signal: AbortSignal) => Promise<void>): Promise<void>
}

export function processTerminal(): Terminal {
  const { stdout, stderr } = process
  // Whoever reads the answer may have had enough of it: `varve log | head`.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    stderr.write(
      `varve: The answer cannot be written: ${error.message}. Give it room, or send it elsewhere.\n`,
    )
    process.exit(2)
  })
  let status = ''
  const show = (line: string): void => {
    if (!stderr.isTTY || line === status) return
    status = line
    stderr.write(`\r\u001b[K${line.slice(0, (stderr.columns || 80) - 1)}`)
  }
  const say = (stream: NodeJS.WriteStream, text: string): void => {
    show('')
    stream.write(text)
  }
  return {
    print: (line) => say(stdout, `${line}\n`),
    complain: (line) => say(stderr, `${line}\n`),
    write: (text, to) => say(to === 'output' ? stdout : stderr, text),
    status: show,
    style: (style, text) => styled(stdout, style, text),
    styleError: (style, text) => styled(stderr, style, text),
    interruptible: (work) => interruptible(work, () => show('')),
    untilStopped: (work) => untilAsked(work),
  }
}

function styled(stream: NodeJS.WriteStream, style: Style, text: string): string {
  const { NO_COLOR, TERM } = process.env
  const isPlain = !stream.isTTY || (NO_COLOR !== undefined && NO_COLOR !== '') || TERM === 'dumb'
  return isPlain ? text : styleText(style, text, { validateStream: false })
}

/** The first Ctrl-C asks for an orderly end; then, or at the second, the process ends as one that was interrupted. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>, lastly: () => void): Promise<T> {
  const asked: NodeJS.Signals[] = []
  try {
    return await untilAsked(work, (signal) => asked.push(signal))
  } finally {
    lastly()
    if (asked[0]) process.kill(process.pid, asked[0])
  }
}

async function untilAsked<T>(
  work: (signal: AbortSignal) => Promise<T>,
  onAsked: (signal: NodeJS.Signals) => void = () => {},
): Promise<T> {
  const controller = new AbortController()
  const ask = (signal: NodeJS.Signals): void => {
    onAsked(signal)
    controller.abort(Object.assign(new Error(`Stopped by ${signal}.`), { name: 'AbortError' }))
  }
  process.once('SIGINT', ask).once('SIGTERM', ask)
  try {
    return await work(controller.signal)
  } finally {
    process.off('SIGINT', ask).off('SIGTERM', ask)
  }
}

/** Threads of this process, each running a module that answers one question at a time. The only door to node:worker_threads. */
import { on } from 'node:events'
import { availableParallelism } from 'node:os'
import { parentPort, Worker, workerData } from 'node:worker_threads'

/** What a thread says: something on the way, and in the end the answer. */
type Message = { note: unknown } | { answer: unknown }

interface AskOptions<Note> {
  onNote: (note: Note) => void
  signal: AbortSignal | undefined
}

/** As whoever started it sees it. Questions, notes and answers are copied, as `structuredClone` does. */
export class NodeThread<Question, Note, Answer> {
  readonly #worker: Worker | undefined

  /**
   * `module` is named as seen from `base`. Throws nothing: a module that is not there, as in a program of one file, or a process that may have no threads, shows when something is asked.
   */
  constructor(module: string, base: string, data: unknown) {
    try {
      this.#worker = new Worker(new URL(module, base), { workerData: data })
      this.#worker.on('error', () => {}) // Whoever waits for an answer is told.
    } catch {
      this.#worker = undefined
    }
  }

  /** Throws what ended the thread, and the signal's reason. */
  async ask(question: Question, { onNote, signal }: AskOptions<Note>): Promise<Answer> {
    if (!this.#worker || this.#worker.threadId < 0) throw new Error('The thread ended.')
    const messages = on(this.#worker, 'message', { signal, close: ['exit'] }) as AsyncIterable<[Message]>
    this.#worker.postMessage(question)
    for await (const [message] of messages) {
      if ('answer' in message) return message.answer as Answer
      onNote(message.note as Note)
    }
    throw new Error('The thread ended.')
  }

  async end(): Promise<void> {
    await this.#worker?.terminate()
  }
}

/** What a thread's module calls with what it does. What that throws ends the thread. */
export function answerInThread<Data, Question, Note>(
  begin: (data: Data) => (question: Question, note: (note: Note) => void) => Promise<unknown>,
): void {
  const tell = (message: Message): void => parentPort!.postMessage(message)
  const answer = begin(workerData as Data)
  parentPort!.on('message', (question: Question) => {
    void answer(question, (note) => tell({ note })).then((answered) => tell({ answer: answered }))
  })
}

/** How many threads can run at once. */
export function processors(): number {
  return availableParallelism()
}

/** A process that writes commit after commit and tells of each before it asks for it and when it was acknowledged. */
import { StorageContext, type Durability } from '../../src/index.ts'
import { seededRandom } from '../support/seeded.ts'
import { Authors, change } from './change.ts'
import { authorsOf, expectContents } from './look.ts'
import { orImported } from './json-directory.ts'
import { subjectOf, type Author, type Shape } from './contents.ts'
import { nowMs, obey, report } from './reporting.ts'

export interface WriterOrder {
  directory: string
  shape: Shape
  actor: string
  seed: number
  durability: Durability
  /** LlamaIndex's files stood there before any commit. */
  fromJson: boolean
  /**
   * - `persist`: changes, then `persist()`, one after another
   * - `transactions`: several at once, which go to disk in groups; some are rolled back
   * - `sessions`: opens, commits once or twice, closes, again and again
   */
  mode: 'persist' | 'transactions' | 'sessions'
  /** Ends after so many commits. */
  commits?: number
}

interface Session {
  order: WriterOrder
  storage: StorageContext
  authors: Authors
}

const rolledBack = new Error('rolled back')
/** In every other process the first change is followed by a look at everything. */
let isFirst = true

obey(async (order: WriterOrder) => {
  const random = seededRandom(order.seed)
  let left = order.commits ?? Infinity
  while (left > 0) {
    const storage = await open(order)
    const many = order.mode === 'sessions' ? 1 + Math.floor(random() * 2) : left
    try {
      await commitRepeatedly(storage, { order, random, many })
      report({ is: 'closing' })
    } finally {
      await storage.close()
    }
    report({ is: 'closed' })
    left -= many
  }
  report({ is: 'done' })
})

interface Repeatedly {
  order: WriterOrder
  random: () => number
  many: number
}

async function commitRepeatedly(storage: StorageContext, { order, random, many }: Repeatedly): Promise<void> {
  const { shape, fromJson, mode } = order
  const authors = new Authors(orImported(await authorsOf(storage, shape), fromJson), shape)
  report({ is: 'began', number: authors.last })
  const session = { order, storage, authors }
  for (let count = 0; count < many; count++) {
    if (mode === 'transactions') await severalAtOnce(session, random)
    else await oneCommit(session)
  }
}

async function open({ directory, durability }: WriterOrder): Promise<StorageContext> {
  const onWarning = (warning: string): void => report({ is: 'warned', warning })
  const storage = await StorageContext.fromDefaults({ persistDir: directory, durability, onWarning })
  report({ is: 'opened' })
  return storage
}

async function oneCommit(session: Session): Promise<void> {
  const author = await changed(session)
  const note = { actor: author.actor, message: subjectOf(author.number) }
  report({ is: 'attempted', number: author.number })
  const commit = await session.storage.persist(note)
  acknowledge(author, commit?.number)
}

async function severalAtOnce(session: Session, random: () => number): Promise<void> {
  const many = 1 + Math.floor(random() * 4)
  // Never all of them: who waits for a commit must get one.
  await Promise.all(Array.from({ length: many }, (_, n) => oneTransaction(session, n > 0 && random() < 0.15)))
}

async function oneTransaction(session: Session, rollsBack: boolean): Promise<void> {
  const note = { actor: session.order.actor } // Its number is known when its turn comes.
  try {
    const author = await session.storage.transaction(note, async () => {
      const before = session.authors.all
      const made = await changed(session)
      if (rollsBack) {
        session.authors.reset(before)
        throw rolledBack
      }
      report({ is: 'attempted', number: made.number })
      return made
    })
    acknowledge(author)
  } catch (error) {
    if (error !== rolledBack) throw error
  }
}

async function changed({ storage, authors, order }: Session): Promise<Author> {
  const { actor, shape } = order
  const { author, leaving } = authors.next(actor)
  await change(storage, author, { shape, leaving })
  authors.add(author)
  if (isFirst && order.seed % 2 === 0) await expectContents(storage, authors.all, shape)
  isFirst = false
  return author
}

function acknowledge({ number }: Author, answered = number): void {
  if (answered !== number) throw new Error(`Commit ${number} was acknowledged as ${answered}.`)
  report({ is: 'acknowledged', number, atMs: nowMs() })
}

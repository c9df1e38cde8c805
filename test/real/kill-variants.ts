/** What a writer can be doing when it is killed. */
import type { Shape } from './contents.ts'
import type { WriterOrder } from './writer-child.ts'

export interface KillVariant extends Pick<WriterOrder, 'mode' | 'durability'> {
  name: string
  shape: Shape
  /** LlamaIndex's files stand there first. */
  fromJson: boolean
  /** Kills fall within so many milliseconds from the order to write. */
  withinMs: number
  /** Or so many after one was asked for, which is about as long as it takes. */
  flightMs: number
  /** Afterwards a new directory is begun. */
  commits: number
}

export const smallShape: Shape = { nodes: 2, textBytes: 60, idBytes: 8, dimensions: 8, window: 12 }

export const killVariants: KillVariant[] = [
  { name: 'many small commits', ...common({}) },
  { name: 'transactions in groups, some rolled back', ...common({ mode: 'transactions' }) },
  {
    name: 'large transactions that spill',
    ...common({ mode: 'transactions', withinMs: 900, flightMs: 120, commits: 30 }),
    shape: { nodes: 160, textBytes: 64 * 1024, idBytes: 12, dimensions: 64, window: 2 },
  },
  { name: 'buffered', ...common({ durability: 'buffered' }) },
  {
    name: 'buffered transactions in groups',
    ...common({ durability: 'buffered', mode: 'transactions' }),
  },
  { name: 'sessions that close with a snapshot', ...common({ mode: 'sessions' }) },
  {
    name: 'snapshots while writing',
    ...common({ withinMs: 700, flightMs: 40, commits: 400 }),
    shape: { nodes: 120, textBytes: 30, idBytes: 1500, dimensions: 2, window: 8 },
  },
  {
    name: 'the first conversion of a LlamaIndex directory',
    ...common({ fromJson: true, commits: 1 }),
    shape: { nodes: 1200, textBytes: 200, idBytes: 20, dimensions: 32, window: 20 },
    withinMs: 500,
    flightMs: 80,
  },
  {
    name: 'converting again and again',
    ...common({ fromJson: true, commits: 4 }),
    shape: { nodes: 1200, textBytes: 200, idBytes: 20, dimensions: 32, window: 20 },
    withinMs: 350,
    flightMs: 80,
  },
]

function common(differing: Partial<Omit<KillVariant, 'name'>>): Omit<KillVariant, 'name'> {
  const usual = {
    mode: 'persist',
    durability: 'commit',
    fromJson: false,
    withinMs: 400,
    flightMs: 8,
    commits: 1500,
  } as const
  return { shape: smallShape, ...usual, ...differing }
}

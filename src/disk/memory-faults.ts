/**
 * Faults that a test has put into a `MemoryDisk`: each waits for its operation, strikes once, and tells which
 * one it was. Knows neither bytes nor names.
 */
import type { Operation, OperationKind } from './memory-file.ts'

/**
 * - `'EIO'`: the operation fails, and has not happened.
 * - `'ENOSPC'`: the same, where room is needed.
 * - `'EMFILE'`: the same, where a file is opened.
 * - `'short write'`: some bytes of a write arrive, then `EIO`.
 * - `'failed sync'`: a sync fails, and the system forgets that it had something to write, as Linux does: the
 *   bytes are seen until the restart, and no later sync makes them durable.
 * - `'slow sync'`: a sync takes so long that others get far meanwhile.
 */
export type FaultKind = 'EIO' | 'ENOSPC' | 'EMFILE' | 'short write' | 'failed sync' | 'slow sync'

export interface Fault {
  what: FaultKind
  /** Which of the operations that it can happen to, counted from 0 and from now on. */
  at: number
  /** Counts, and strikes, only where this is true. */
  matches?: (operation: Operation) => boolean
  /** How many bytes of a short write arrive. Default: half of them. */
  writtenBytes?: number
  /** How many turns of the event loop a slow sync takes. Default: 100. */
  turns?: number
}

/** What became of a fault. */
export interface Struck {
  /** Where it struck; `undefined` as long as it waits. */
  readonly operation: Operation | undefined
}

const changesOfNames: OperationKind[] = ['create', 'rename', 'link', 'makeDirectory']

/** What each fault can happen to; the others to everything. */
const kindsOf: { [what in FaultKind]?: ReadonlySet<OperationKind> } = {
  ENOSPC: new Set(['write', ...changesOfNames]),
  EMFILE: new Set(['open', 'create', 'list', 'syncDirectory']),
  'short write': new Set(['write']),
  'failed sync': new Set(['sync', 'syncDirectory']),
  'slow sync': new Set(['sync', 'syncDirectory']),
}

interface Waiting {
  fault: Fault
  seen: number
  struck: { operation: Operation | undefined }
}

export class Faults {
  #waiting: Waiting[] = []

  add(fault: Fault): Struck {
    const struck = { operation: undefined }
    this.#waiting.push({ fault, seen: 0, struck })
    return struck
  }

  /** Throws what the operation fails with. Answers how many turns of the event loop it takes. */
  meet(operation: Operation): number {
    for (const waiting of this.#waiting) {
      const { fault, struck } = waiting
      if (!(kindsOf[fault.what]?.has(operation.kind) ?? true) || fault.matches?.(operation) === false)
        continue
      if (waiting.seen++ < fault.at) continue
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      struck.operation = operation
      if (fault.what === 'slow sync') return fault.turns ?? 100
      throw errorOf(fault, operation)
    }
    return 0
  }
}

/** A failed sync that dropped what it should have written. */
export function isDropping(error: unknown): boolean {
  return (error as { dropping?: true }).dropping === true
}

function errorOf({ what, writtenBytes }: Fault, { kind, path, sizeBytes = 0 }: Operation): Error {
  const code = what === 'short write' || what === 'failed sync' ? 'EIO' : what
  return Object.assign(new Error(`${code}: injected ${what}, ${kind} '${path}'`), {
    code,
    syscall: kind,
    path,
    ...(what === 'short write' && { written: writtenBytes ?? sizeBytes >> 1 }),
    ...(what === 'failed sync' && { dropping: true }),
  })
}

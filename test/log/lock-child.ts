/** A process that takes and releases locks as its parent tells it to. */
import { randomUUID } from 'node:crypto'
import { nodeDisk } from '../../src/disk/node-disk.ts'
import type { VarveError } from '../../src/errors.ts'
import { acquireLock, type Lock } from '../../src/log/lock.ts'

export type Request =
  | { do: 'acquire'; directory: string; times: number; takeover?: boolean }
  | { do: 'release' | 'stillHeld' | 'forget' }

export interface Outcome {
  nonce?: string
  code?: string
  message?: string
}

let locks: Lock[] = []

process.on('message', (request: Request) => {
  void answer(request).then((outcome) => process.send!(outcome))
})
process.send!('ready')

async function answer(request: Request): Promise<unknown> {
  switch (request.do) {
    case 'acquire':
      return Promise.all(
        Array.from({ length: request.times }, () => acquire(request.directory, request.takeover)),
      )
    case 'stillHeld':
      return Promise.all(locks.map((lock) => lock.stillHeld()))
    case 'release':
      await Promise.all(locks.map((lock) => lock.release()))
      locks = []
      return 'released'
    case 'forget':
      // Nothing but the lock is left that could keep this process alive.
      setImmediate(() => process.disconnect())
      return 'forgotten'
  }
}

async function acquire(directory: string, takeover = false): Promise<Outcome> {
  try {
    const lock = await acquireLock({ disk: nodeDisk, directory, nonce: randomUUID, takeover })
    locks.push(lock)
    return { nonce: lock.nonce }
  } catch (error) {
    const { code, message } = error as VarveError
    return { code, message }
  }
}

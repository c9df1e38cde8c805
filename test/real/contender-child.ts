/** A process that writes, closes, or writes as soon as it may, as its parent tells it to. */
import { VarveError, StorageContext } from '../../src/index.ts'
import { Authors, change } from './change.ts'
import type { Shape } from './contents.ts'
import { authorsOf } from './look.ts'
import { nowMs, obey, report } from './reporting.ts'

export interface ContenderOrder {
  /** `insist` writes again until nobody else holds the lock. */
  do: 'write' | 'insist' | 'close'
  directory: string
  shape: Shape
  actor: string
}

let storage: StorageContext | undefined

obey(async (order: ContenderOrder) => {
  storage ??= await StorageContext.fromDefaults({ persistDir: order.directory })
  if (order.do === 'close') {
    await storage.close()
    storage = undefined
    return report({ is: 'closed' })
  }
  for (;;) {
    try {
      return await write(storage, order)
    } catch (error) {
      const isLocked = error instanceof VarveError && error.code === 'VARVE_LOCKED'
      if (order.do !== 'insist' || !isLocked) throw error
    }
  }
})

/** A transaction sees what others have committed before it. */
async function write(context: StorageContext, { shape, actor }: ContenderOrder): Promise<void> {
  const number = await context.transaction({ actor }, async () => {
    const { author, leaving } = new Authors(await authorsOf(context, shape), shape).next(actor)
    report({ is: 'attempted', number: author.number })
    await change(context, author, { shape, leaving })
    return author.number
  })
  report({ is: 'acknowledged', number, atMs: nowMs() })
}

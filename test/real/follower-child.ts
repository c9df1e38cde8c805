/** A process that follows a directory, holds every commit against the one before, looks at all stores in between, and tells what it holds in the end. */
import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { StorageContext } from '../../src/index.ts'
import type { Shape } from './contents.ts'
import { expectContents, shownCommit } from './look.ts'
import { nowMs, obey, report } from './reporting.ts'

export interface FollowerOrder {
  directory: string
  shape: Shape
  /** The only writer. */
  actor: string
  /** Ends when it shows this commit. */
  commits: number
}

obey(async ({ directory, shape, actor, commits }: FollowerOrder) => {
  const onWarning = (warning: string): void => report({ is: 'warned', warning })
  const storage = await StorageContext.fromDefaults({ persistDir: directory, follow: true, onWarning })
  let told = 0
  storage.on('change', ({ commit: { number } }) => {
    if (told > 0 && number !== told + 1) report({ is: 'wrong', message: `${number} was told after ${told}` })
    told = number
  })
  report({ is: 'opened' })
  const [lookEvery, weighEvery] = [Math.max(10, commits / 100), Math.floor(commits / 8)]
  let before = 0
  for await (const { commit, stores } of storage.changes({ from: 'start' })) {
    if (commit.number !== ++before) throw new Error(`Commit ${commit.number} came in the place of ${before}.`)
    if (stores.length !== 5) throw new Error(`Commit ${before} came with ${stores.length} stores.`)
    if (before % lookEvery === 1) await look(storage, { shape, actor })
    if (before % weighEvery === 0) report({ is: 'weighs', number: before, heapBytes: heapBytes() })
    if (before === commits) break
  }
  if ((await shownCommit(storage)) !== commits)
    throw new Error('It does not show the last change it told of.')
  const digest = createHash('sha256')
    .update(JSON.stringify(await storage.toDict()))
    .digest('hex')
  report({ is: 'holds', digest })
  await storage.close()
  report({ is: 'done' })
})

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What is alive, buffers too. */
function heapBytes(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** All stores show one commit, though the writer goes on while they are asked. */
async function look(
  storage: StorageContext,
  { shape, actor }: Pick<FollowerOrder, 'shape' | 'actor'>,
): Promise<void> {
  const openedAtMs = nowMs()
  const number = await shownCommit(storage)
  const first = Math.max(1, number - shape.window)
  const authors = Array.from({ length: number - first + 1 }, (_, at) => ({ number: first + at, actor }))
  await expectContents(storage, authors, shape)
  report({ is: 'saw', number, openedAtMs })
}

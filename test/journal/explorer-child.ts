/** Explores what it is told to, for `explorer-pool.ts`. */
import { explore } from './explorer.ts'
import type { Answer, Job } from './explorer-pool.ts'
import { workloads } from './workloads.ts'

/** Whoever fails says so with a message; a trace for each of a million refusals is only time. */
Error.stackTraceLimit = 0

const tell = (answer: Answer): void => void process.send?.(answer)

process.on('message', ({ workload, ...options }: Job) => {
  let toldMs = Date.now()
  const onProgress = (counts: Answer & { is: 'at' }): void => {
    if (Date.now() - toldMs < 1000) return
    toldMs = Date.now()
    tell(counts)
  }
  const chosen = workloads.find(({ name }) => name === workload)!
  explore(chosen, { ...options, onProgress: (counts) => onProgress({ is: 'at', counts }) }).then(
    (counts) => tell({ is: 'done', counts }),
    (error: Error) => tell({ is: 'failed', message: error.message }),
  )
})
process.on('disconnect', () => process.exit())

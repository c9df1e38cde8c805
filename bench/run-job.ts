/** One job in a process of its own: `run-job.ts NAME INPUT`. Sends its figures to the parent. */
import { jobs, type JobInput } from './jobs.ts'

const [name, input] = process.argv.slice(2) as [keyof typeof jobs, string]
const figures = await jobs[name](JSON.parse(input) as JobInput)
process.send?.(figures, () => process.disconnect())

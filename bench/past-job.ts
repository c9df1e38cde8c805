/** One job in a process of its own: `past-job.ts NAME INPUT`. Sends its figures to the parent. */
import { pastJobs, type PastInput } from './past-jobs.ts'

const [name, input] = process.argv.slice(2) as [keyof typeof pastJobs, string]
const figures = await pastJobs[name](JSON.parse(input) as PastInput)
process.send?.(figures, () => process.disconnect())

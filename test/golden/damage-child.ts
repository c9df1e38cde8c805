/** One share of the sweep, in a process of its own. */
import { runShare } from './shards.ts'

process.once('disconnect', () => process.exit())
await runShare(JSON.parse(process.argv[2]!) as Parameters<typeof runShare>[0])
process.disconnect()

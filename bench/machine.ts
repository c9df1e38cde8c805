/** What was measured on. */
import { cpus, release } from 'node:os'

export const machine = `Node ${process.version}, ${process.platform} ${release()}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`

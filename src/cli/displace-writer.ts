/**
 * Takes the lock from its holder and gives it back. One that may still live could go on writing where it stood, however late: so the commit log is
 * sealed behind it first, and whoever writes next starts new segments.
 */
import type { Disk } from '../disk/disk.ts'
import { namingErrors } from '../disk/disk-errors.ts'
import { randomFill } from '../disk/node-random.ts'
import { kindOf } from '../stores/store-kinds.ts'
import { encodeSeal } from '../journal/commit.ts'
import { Home } from '../journal/home.ts'
import { defaultLimits } from '../journal/limits.ts'
import { continueSession, lockDirectory, type SessionOptions } from '../journal/session.ts'
import type { Lock } from '../log/lock.ts'
import { commitsFolder } from '../log/names.ts'
import { segmentHeaderBytes } from '../log/segment.ts'

/** Throws `VARVE_LOCKED` if another has taken it meanwhile. */
export async function displaceWriter(
  disk: Disk,
  directory: string,
  { mayLive }: { mayLive: boolean },
): Promise<void> {
  const options: SessionOptions = {
    disk,
    kindOf,
    durability: 'commit',
    clock: () => new Date(),
    random: randomFill,
    onWarning: () => {},
    onCommitted: () => {},
    onReturned: () => {},
    limits: defaultLimits,
    takeover: mayLive,
    networkFileSystem: mayLive,
  }
  await namingErrors(directory, async () => {
    const lock = await lockDirectory(options, directory)
    try {
      if (mayLive) await sealBehind(lock, directory, options)
    } finally {
      await lock.release()
    }
  })
}

async function sealBehind(lock: Lock, directory: string, options: SessionOptions): Promise<void> {
  const home = await Home.open(options.disk, directory)
  if (!home) return // Whoever begins a journal removes what stands there.
  const { files, writer, queue, catalog } = await continueSession(home, lock, options)
  try {
    await queue.ready() // A seal must not outlive what it seals.
    const { number, hash, next } = catalog.end
    const seal = encodeSeal(
      { segment: next.segment, length: next.offset, number, hash },
      { ...options, syncedThrough: number },
    )
    const segment = Math.max(...(await files.numbers(commitsFolder))) + 1
    await writer.write({ folder: commitsFolder, segment, offset: segmentHeaderBytes, chunks: seal.chunks })
    await writer.sync()
  } finally {
    await writer.close()
    await files.close()
  }
}

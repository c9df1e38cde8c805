/**
 * Keeps what a follower has loaded at what its directory holds, whatever becomes of the directory. It looks at the path, and believes only what it
 * reads there: what goes on with the history that it knows is taken up, in place; another history is loaded as a whole, and then takes the place of this one in
 * one step, with the reason; and where nothing can be read, the last good state stays, and the look throws.
 */
import type { Disk } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import { FrameReader, isFault } from '../log/frame-reader.ts'
import { commitsFolder, erasuresFolder } from '../log/names.ts'
import { commitHash } from '../log/recovery.ts'
import type { SegmentFiles } from '../log/segment-files.ts'
import type { Fold } from './fold.ts'
import type { FoldedStore } from './folded-store.ts'
import { Home } from './home.ts'
import { ownTurn, takeUpFollowing, type Witness } from './take-up.ts'

/** Another history stands where a follower had one. */
export interface Reset {
  /** `replaced`: that of another journal. `rolled-back`: the same, without its last commits. `forked`: the same journal, with other commits in the place of known ones. */
  reason: 'replaced' | 'rolled-back' | 'forked'
  /** The last commit before. */
  from: number
  /** The last commit now. */
  to: number
}

interface FollowingOptions {
  disk: Disk
  directory: string
  fold: Fold
  /** Called in the step that changes the states. */
  onMoved: (home: Home) => void
}

/** Is told of all that a follower takes up. */
export interface Onlooker {
  /** In the history that it knows. */
  witness: Witness
  /** In the step that turns to another one. */
  reset: () => void
}

export class Following {
  readonly #options: FollowingOptions
  /** What the last look saw that left nothing to be done. */
  #seen: string | undefined
  /** Whoever was reading them when they were left may go on until the next time. */
  #left: SegmentFiles | undefined
  /** The last of all. */
  reset: Reset | undefined
  onlooker: Onlooker | undefined

  constructor(options: FollowingOptions) {
    this.#options = options
  }

  /** `home`: what was found before. Throws `VARVE_NOT_FOUND` when it is gone, `VARVE_CORRUPT`, `VARVE_NEWER`, and what the disk does. */
  async look(home: Home | undefined): Promise<void> {
    const { disk, directory } = this.#options
    if (!home) {
      const appeared = await Home.open(disk, directory)
      if (appeared) await this.#turnTo(appeared)
      return
    }
    const seen = await this.#sight(home)
    if (seen !== undefined && seen === this.#seen) return
    this.#seen = undefined
    if (seen === undefined || !(await this.#goOn(home))) await this.#lookAnew(home)
    else if (!home.torn) this.#seen = seen
  }

  async close(): Promise<void> {
    await this.#left?.close()
  }

  /** What tells that something may have changed; `undefined`: other files stand there than those that are open. */
  async #sight({ files, catalog }: Home): Promise<string | undefined> {
    const { segment, offset } = catalog.end.next
    const path = files.path(commitsFolder, segment)
    const before = await files.disk.stat(path)
    if (before === undefined || before.sizeBytes < offset) return undefined
    const highest = (await files.numbers(commitsFolder)).at(-1)
    const held = await (await files.open(commitsFolder, segment)).size()
    // It may have grown since; but a file that is open is not behind its own path, nor for long before it.
    if (before.sizeBytes > held) return undefined
    if (before.sizeBytes < held && ((await files.disk.stat(path))?.sizeBytes ?? 0) < held) return undefined
    // Whoever takes over begins a segment, and what it says may come later than its file.
    const top =
      highest === undefined || highest === segment
        ? before
        : await files.disk.stat(files.path(commitsFolder, highest))
    return [segment, before.sizeBytes, before.modifiedMs, highest, top?.sizeBytes, top?.modifiedMs].join()
  }

  /** The last known commit is found under the path, too. */
  async #isOurs({ files, catalog }: Home): Promise<boolean> {
    const { number, hash } = catalog.end
    const { segment, offset } = catalog.placeOf(number)
    const { seen } = await files.glance(commitsFolder, segment, async (file) =>
      new FrameReader(file).read(offset, await file.size()),
    )
    return seen !== undefined && !isFault(seen) && Buffer.from(commitHash(seen.hashed)).equals(hash)
  }

  /** False: it does not go on as a log does. What stands under the path will tell why. A commit that follows the last one proves that this is there. */
  async #goOn(home: Home): Promise<boolean> {
    const before = home.catalog.end.number
    try {
      await this.#takeUp(home)
      return home.catalog.end.number > before || (await this.#isOurs(home))
    } catch (error) {
      if (error instanceof VarveError && error.code === 'VARVE_CORRUPT') return false
      throw error
    }
  }

  async #lookAnew(home: Home): Promise<void> {
    const { disk, directory } = this.#options
    const fresh = await Home.open(disk, directory)
    if (!fresh) {
      const fact = `The journal that was followed in ${directory} is not there any more.`
      const remedy = 'Its last state is shown until it comes back, or another one takes its place.'
      throw new VarveError('VARVE_NOT_FOUND', fact, { directory, remedy })
    }
    const reset = await resetFrom(home, fresh).catch((error: unknown) => closing(fresh, error))
    if (reset) {
      await this.#turnTo(fresh, reset)
      await this.#leave(home.files)
      return
    }
    await fresh.files.openAll(home.files).catch((error: unknown) => closing(fresh, error)) // The states refer to them.
    await this.#leave(home.files)
    home.files = fresh.files
    await this.#takeUp(home)
  }

  #takeUp(home: Home): Promise<void> {
    return takeUpFollowing(home, this.#options.fold, this.onlooker?.witness)
  }

  /** Loads everything that stands there, and what was loaded before. */
  async #turnTo(home: Home, reset?: Reset): Promise<void> {
    const { fold, onMoved } = this.#options
    const fresh = fold.anew()
    const isReady = (): boolean =>
      fold.isSettled && [...fold.stores()].every(({ folder }) => fresh.store(folder) !== undefined)
    const load = (folder: string): Promise<FoldedStore> =>
      home.despiteErasures(() => fresh.load(folder, home.source(folder)))
    try {
      for (const folder of home.catalog.stores.keys()) if (folder !== erasuresFolder) await load(folder)
      do {
        await fold.settled()
        for (const { folder } of fold.stores()) await load(folder)
        await ownTurn()
      } while (!isReady())
    } catch (error) {
      return closing(home, error)
    }
    fold.adopt(fresh)
    onMoved(home)
    if (!reset) return
    this.reset = reset
    this.onlooker?.reset()
  }

  async #leave(files: SegmentFiles): Promise<void> {
    await this.#left?.close()
    this.#left = files
  }
}

/** `undefined`: it is the same history, perhaps longer. */
async function resetFrom(home: Home, fresh: Home): Promise<Reset | undefined> {
  const [before, now] = [home.catalog.end, fresh.catalog.end]
  const reset = (reason: Reset['reason']): Reset => ({ reason, from: before.number, to: now.number })
  if (fresh.manifest.id !== home.manifest.id) return reset('replaced')
  if (now.number >= before.number)
    return isSame(before.hash, (await fresh.commit(before.number)).hash) ? undefined : reset('forked')
  const known = await home.commit(now.number).catch((error: unknown) => {
    if (error instanceof VarveError && error.code === 'VARVE_CORRUPT') return undefined // Its bytes are gone.
    throw error
  })
  return reset(known && !isSame(known.hash, now.hash) ? 'forked' : 'rolled-back')
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a).equals(b)
}

async function closing(home: Home, error: unknown): Promise<never> {
  await home.files.close()
  throw error
}

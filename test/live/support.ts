/** Followers that are told, or not, when to look. */
import { StorageContext, type Change, type FolderListener, type Reset } from '../../src/index.ts'
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { TextNode } from '../../src/stores/node.ts'

/** Says only what a test makes it say. */
export class FakeWatcher {
  readonly folders: string[] = []
  closed = 0
  #listener: FolderListener | undefined

  readonly watch = (folder: string, listener: FolderListener) => {
    this.folders.push(folder)
    this.#listener = listener
    return { close: async () => void this.closed++ }
  }

  hint(): void {
    this.#listener?.onHint()
  }

  fail(error: Error): void {
    this.#listener?.onTrouble(error)
  }
}

export const directory = '/storage'
/** So long that no test sees it. */
export const never = 1_000_000

export async function follow(
  disk: MemoryDisk,
  { poll = 5, watcher = new FakeWatcher(), warnings = [] as string[] } = {},
): Promise<StorageContext> {
  return StorageContext.fromDefaults({
    persistDir: directory,
    disk,
    follow: { poll, watch: watcher.watch },
    onWarning: (warning) => warnings.push(warning),
  })
}

export function write(disk: MemoryDisk): Promise<StorageContext> {
  return StorageContext.fromDefaults({ persistDir: directory, disk, onWarning: () => {} })
}

export function node(id_: string, text = `text of ${id_}`): TextNode {
  return new TextNode({ id_, text })
}

/** Adds one node, in a commit. */
export async function addNode(storage: StorageContext, id: string, text?: string): Promise<number> {
  await storage.docstore.addDocuments([node(id, text)])
  return (await storage.persist())!.number
}

export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 1))
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export async function take(changes: AsyncGenerator<Change>, count: number): Promise<Change[]> {
  const taken: Change[] = []
  while (taken.length < count) {
    const { value, done } = await changes.next()
    if (done) break
    taken.push(value)
  }
  return taken
}

/** Everything that a follower tells, in order. */
export function heard(storage: StorageContext): (number | Reset | Error)[] {
  const told: (number | Reset | Error)[] = []
  storage.on('change', ({ commit }) => void told.push(commit.number))
  storage.on('reset', (reset) => void told.push(reset))
  storage.on('error', (error) => void told.push(error))
  return told
}

/** What tells a follower that something may have happened. Nothing is made of what it says but a look: it may be late, say things twice, or keep silent. */
import { watch } from 'chokidar'

export interface FolderWatcher {
  close(): Promise<void>
}

export interface FolderListener {
  onHint: () => void
  /** It can tell nothing any more. */
  onTrouble: (error: Error) => void
}

export type WatchFolder = (folder: string, listener: FolderListener) => FolderWatcher

/** The operating system's events. Those that chokidar passes on raw come at once, and are not thinned out. */
export const watchFiles: WatchFolder = (folder, { onHint, onTrouble }) => {
  const watcher = watch(folder, { depth: 0, ignoreInitial: true })
  watcher.on('ready', onHint).on('all', onHint).on('raw', onHint)
  watcher.on('error', (error) => onTrouble(error as Error))
  return watcher
}

/** Where there is nothing that could tell. */
export const watchNothing: WatchFolder = () => ({ close: async () => {} })

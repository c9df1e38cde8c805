/** Every name on disk is made and parsed here, and nowhere else. */
import { createHash } from 'node:crypto'

export const manifestName = 'varve.json'
export const commitsFolder = 'commits'
export const snapshotsFolder = 'snapshots'
/** A store's folder, but no user's store: what was erased. */
export const erasuresFolder = 'erasures'

/** `0000000001.log`: ten digits, so that names sort as numbers do. */
export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.log`
}

/** The number in a segment's name; `undefined` for any other name. */
export function parseSegmentName(name: string): number | undefined {
  const digits = /^(\d{10})\.log$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/**
 * The folder of a namespace's store. A name that is safe on every file system is its own folder; any other
 * gets one named after its hash, with a mark that no safe name has, and the commit that first names the
 * folder tells the true name.
 */
export function namespaceFolder(parent: string, namespace: string): string {
  if (/^[a-z0-9_-]{1,64}$/.test(namespace)) return `${parent}/${namespace}`
  return `${parent}/=${createHash('sha256').update(namespace).digest('hex').slice(0, 40)}`
}

/**
 * Store folders come from files as well as from callers: nothing but these shapes is ever joined to a path.
 */
export function isStoreFolder(folder: string): boolean {
  return (
    /^[a-z_]{1,32}(\/(=[0-9a-f]{40}|[a-z0-9_-]{1,64}))?$/.test(folder) &&
    folder !== commitsFolder &&
    folder !== snapshotsFolder
  )
}

/** `0000000042~docstore.snap`; the slash of a namespace's folder becomes a `~` too. */
export function snapshotName(commit: number, subject: string): string {
  return `${String(commit).padStart(10, '0')}~${subject.replaceAll('/', '~')}.snap`
}

export function parseSnapshotName(name: string): { commit: number; subject: string } | undefined {
  const match = /^(\d{10})~([a-z0-9_=~-]+)\.snap$/.exec(name)
  return match ? { commit: Number(match[1]), subject: match[2]!.replaceAll('~', '/') } : undefined
}

export function joinPath(...parts: string[]): string {
  return parts.join('/')
}

export function parentOf(path: string): string {
  const end = path.lastIndexOf('/')
  return end > 0 ? path.slice(0, end) : end === 0 ? '/' : '.'
}

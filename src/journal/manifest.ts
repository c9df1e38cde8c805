/**
 * `varve.json`: that a directory is a journal, and what a reader must know to read it. It is written once,
 * before the first commit.
 */
import type { Disk } from '../disk/disk.ts'
import { VarveError } from '../errors.ts'
import { placeFile } from '../log/durable-file.ts'
import { joinPath, manifestName } from '../log/names.ts'
import { format } from '../log/segment.ts'

export interface Manifest {
  format: number
  /** A UUID. */
  id: string
  created: string
  /** What a reader must be able to do beyond its format. */
  requires: string[]
}

/** What this version can do. */
const supported = new Set<string>()

/** `undefined` where there is none. Throws `VARVE_NEWER`, `VARVE_CORRUPT`. */
export async function readManifest(disk: Disk, directory: string): Promise<Manifest | undefined> {
  const path = joinPath(directory, manifestName)
  const bytes = await disk.readSmallFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (!bytes) return undefined
  const manifest = parse(bytes)
  if (manifest === 'newer')
    throw new VarveError('VARVE_NEWER', `${path} has a newer format than ${format}.`, { path })
  if (!manifest) throw new VarveError('VARVE_CORRUPT', `${path} cannot be read.`, { path })
  const unknown = manifest.requires.filter((requirement) => !supported.has(requirement))
  if (unknown.length)
    throw new VarveError('VARVE_NEWER', `${path} needs ${unknown.join(', ')}.`, { path, requires: unknown })
  return manifest
}

/**
 * Gives a directory its manifest, once: a writer that stood still while another one began the journal must not
 * replace it. Answers whether this is the one that stands there.
 */
export async function placeManifest(disk: Disk, directory: string, manifest: Manifest): Promise<boolean> {
  const text = `${JSON.stringify(manifest)}\n`
  if (await placeFile(disk, joinPath(directory, manifestName), text, manifest.id)) return true
  return (await readManifest(disk, directory))?.id === manifest.id
}

export function newManifest(id: string, created: Date): Manifest {
  return { format, id, created: created.toISOString(), requires: [] }
}

export function journalIdBytes({ id }: Manifest): Uint8Array {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

function parse(bytes: Uint8Array): Manifest | 'newer' | undefined {
  try {
    const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<Manifest> | null
    const { format: seen, id, created = '', requires = [] } = value ?? {}
    if (typeof seen === 'number' && seen > format) return 'newer'
    if (seen !== format || typeof id !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id))
      return undefined
    return { format: seen, id, created, requires: requires.map(String) }
  } catch {
    return undefined // The caller says which file cannot be read.
  }
}

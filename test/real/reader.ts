/** Looks at a directory as a reader does. */
import { strictEqual } from 'node:assert'
import { StorageContext, type OpenOptions } from '../../src/index.ts'
import type { Author, Shape } from './contents.ts'
import { orImported } from './json-directory.ts'
import { authorsOf, expectContents } from './look.ts'

export interface LookOptions extends Pick<OpenOptions, 'disk'> {
  fromJson?: boolean
}

/** Everything there is the state of the last commit, which is answered; the commits have no hole. */
export async function lastCommit(
  directory: string,
  shape: Shape,
  { fromJson = false, disk }: LookOptions = {},
): Promise<number> {
  const authors = await readAuthors(directory, shape, { fromJson, ...(disk && { disk }) })
  return authors.at(-1)?.number ?? 0
}

/** Every commit from the first on is in the chain; answers how many there are. */
export async function countCommits(directory: string): Promise<number> {
  const storage = await StorageContext.fromDefaults({ persistDir: directory, readOnly: true })
  try {
    const all = await authorsOf(storage, { window: Infinity })
    strictEqual(all[0]?.number, 1)
    return all.length
  } finally {
    await storage.close()
  }
}

async function readAuthors(
  directory: string,
  shape: Shape,
  { fromJson = false, ...rest }: LookOptions,
): Promise<readonly Author[]> {
  const options = { persistDir: directory, readOnly: true, onWarning: () => {}, ...rest }
  const storage = await StorageContext.fromDefaults(options)
  try {
    const authors = await authorsOf(storage, shape)
    await expectContents(storage, orImported(authors, fromJson), shape)
    return authors
  } finally {
    await storage.close()
  }
}

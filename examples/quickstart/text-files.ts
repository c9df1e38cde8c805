/** A folder's text and Markdown files as documents, whose ids are their paths within the folder. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Document } from 'varve'
import { Failure } from './terminal.ts'

const skipped = new Set(['node_modules', 'dist', 'storage'])
const textFile = /\.(md|markdown|txt|text)$/i

export async function readTextFiles(folder: string): Promise<Document[]> {
  const documents = await documentsIn(folder)
  if (documents.length > 0) return documents
  throw new Failure(`No text or Markdown file in ${folder}. Give a folder that has .md or .txt files.`)
}

/** There may be none. */
export async function documentsIn(folder: string): Promise<Document[]> {
  await checkFolder(folder)
  const documents: Document[] = []
  for await (const path of textFiles(folder)) {
    const text = await readFile(join(folder, path), 'utf8').catch(cannotRead(path))
    documents.push(new Document({ id_: path, text, metadata: { path } }))
  }
  return documents
}

async function checkFolder(folder: string): Promise<void> {
  const status = await stat(folder).catch(cannotRead(folder))
  if (!status.isDirectory()) throw new Failure(`${folder} is not a folder. Give the folder it is in.`)
}

/** In the same order each time. Symbolic links are not followed: they could lead in a circle. */
async function* textFiles(folder: string, below = ''): AsyncGenerator<string> {
  const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(
    cannotRead(below || folder),
  )
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || skipped.has(entry.name)) continue
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) yield* textFiles(folder, path)
    else if (entry.isFile() && textFile.test(entry.name)) yield path
  }
}

function cannotRead(path: string): (error: NodeJS.ErrnoException) => never {
  return ({ code }) => {
    if (code === 'ENOENT')
      throw new Failure(`There is no ${path}. Give a folder, or none to read this project's own files.`)
    throw new Failure(`${path} cannot be read (${code}). Give a folder that this user may read.`)
  }
}

/** LlamaIndex directories made for one test, and removed after the file's last one. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { nodeDisk } from '../../src/disk/node-disk.ts'
import { readLlamaIndexDirectory } from '../../src/interop/llamaindex-directory.ts'
import type { LlamaIndexContent } from '../../src/interop/llamaindex-content.ts'

const made: string[] = []
afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true }))))

export async function directoryOf(files: Record<string, unknown>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'varve-llamaindex-'))
  made.push(directory)
  for (const [name, content] of Object.entries(files)) {
    const isRaw = typeof content === 'string' || content instanceof Uint8Array
    await writeFile(join(directory, name), isRaw ? content : JSON.stringify(content))
  }
  return directory
}

export async function readFiles(files: Record<string, unknown>): Promise<LlamaIndexContent> {
  const content = await readLlamaIndexDirectory(nodeDisk, await directoryOf(files))
  if (content === undefined) throw new Error('not recognised')
  return content
}

export const docstore = (data: unknown, more: object = {}) => ({ 'docstore/data': data, ...more })
export const entry = (type: string, data: unknown) => ({ __type__: type, __data__: data })
export const messages = ({ warnings }: LlamaIndexContent) =>
  warnings.map(({ file, message }) => `${file}: ${message}`)

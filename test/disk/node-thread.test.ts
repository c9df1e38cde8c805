import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NodeThread } from '../../src/disk/node-thread.ts'

let folder: string

beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'varve-thread-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A thread that runs this, with `tell` as its voice. */
function threadOf(name: string, code: string, data?: unknown): NodeThread<unknown, number, unknown> {
  const path = join(folder, `${name}.mjs`)
  const opening = `import { parentPort, workerData } from 'node:worker_threads'
const tell = (message) => parentPort.postMessage(message)
`
  writeFileSync(path, opening + code)
  return new NodeThread(`./${name}.mjs`, pathToFileURL(path).href, data)
}

const listening = (): { notes: number[]; onNote: (note: number) => void; signal: undefined } => {
  const notes: number[] = []
  return { notes, onNote: (note) => notes.push(note), signal: undefined }
}

describe('a thread', () => {
  test('answers one question after another, with notes before each answer', async () => {
    const code = `parentPort.on('message', (question) => {
      tell({ note: question })
      tell({ note: question + 1 })
      tell({ answer: [workerData, question] })
    })`
    const thread = threadOf('answers', code, 'given')
    const listener = listening()
    expect(await thread.ask(1, listener)).toEqual(['given', 1])
    expect(await thread.ask(5, listener)).toEqual(['given', 5])
    expect(listener.notes).toEqual([1, 2, 5, 6])
    await thread.end()
  })

  test.each([
    ['is not there', undefined, 'Cannot find module'],
    ['does not parse', 'const', 'Unexpected end of input'],
    ['throws', 'throw new Error("no")', 'no'],
    ['throws when it is asked', 'parentPort.on("message", () => { throw new Error("no") })', 'no'],
    ['rejects', 'parentPort.on("message", async () => { throw new Error("no") })', 'no'],
    ['exits', 'parentPort.on("message", () => process.exit())', 'ended'],
    ['ends', '', 'ended'],
  ])('whose module %s does not answer, and says so each time', async (name, code, why) => {
    const thread =
      code === undefined
        ? new NodeThread<unknown, number, unknown>('./missing.mjs', import.meta.url, undefined)
        : threadOf(name.replaceAll(' ', '-'), code)
    await expect(thread.ask(1, listening())).rejects.toThrow(why)
    await expect(thread.ask(2, listening())).rejects.toThrow('ended')
    await thread.end()
  })

  test('whose module has no place, as in a program that was made one file, does not answer', async () => {
    const thread = new NodeThread<unknown, number, unknown>(
      './x.mjs',
      undefined as unknown as string,
      undefined,
    )
    await expect(thread.ask(1, listening())).rejects.toThrow('ended')
    await thread.end()
  })

  test('is not waited for when the signal says so', async () => {
    const thread = threadOf('waits', `parentPort.on('message', () => tell({ note: 1 }))`)
    const controller = new AbortController()
    const onNote = (): void => controller.abort(new Error('enough'))
    await expect(thread.ask(1, { onNote, signal: controller.signal })).rejects.toThrow('abort')
    await thread.end()
  })
})

// `varve follow` beside a writer, as it is installed.
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { TextNode } from '../../src/stores/node.ts'
import { BuiltCommand, ended } from './built-command.ts'

let varve: BuiltCommand
beforeAll(() => void (varve = new BuiltCommand()), 120_000)
afterAll(() => varve.remove())

const time = '2026-03-04T05:06:07.089Z'

/** The lines as they come. */
class Lines {
  #text = ''
  #onData = (): void => {}

  constructor({ stdout }: ChildProcess) {
    stdout!.on('data', (data: Buffer) => {
      this.#text += data.toString()
      this.#onData()
    })
  }

  async atLeast(count: number): Promise<string[]> {
    for (;;) {
      const lines = this.#text.split('\n').slice(0, -1)
      if (lines.length >= count) return lines
      await new Promise<void>((resolve) => (this.#onData = resolve))
    }
  }
}

async function commit(storage: StorageContext, id: string): Promise<void> {
  await storage.docstore.addDocuments([new TextNode({ id_: id, text: id })])
  await storage.persist({ actor: 'ann', message: `adds ${id}` })
}

describe.skipIf(process.platform === 'win32')('varve follow', () => {
  test('prints commits as they come, waits for a directory, and ends with Ctrl-C and exit code 0', async () => {
    const directory = join(varve.directory, 'later')
    const child = varve.start(['follow', directory, '--from', 'start'])
    const [lines, end] = [new Lines(child), ended(child)]
    const storage = await StorageContext.fromDefaults({ persistDir: directory, clock: () => new Date(time) })
    await new Promise((resolve) => setTimeout(resolve, 300)) // As a rule it is there first.
    await commit(storage, 'a')
    await lines.atLeast(1)
    await commit(storage, 'a')
    await storage.graphStore.upsertTriplet('Ann', 'knows', 'Bob')
    await storage.docstore.deleteDocument('a')
    await storage.persist()
    const printed = (await lines.atLeast(3)).map((line) => line.replace(/\b[0-9a-f]{8}\b/, 'HASHHASH'))
    expect(printed).toEqual([
      '1  HASHHASH  2026-03-04T05:06:07Z  ann: adds a  (docstore +1)',
      '2  HASHHASH  2026-03-04T05:06:07Z  ann: adds a  (docstore ~1)',
      '3  HASHHASH  2026-03-04T05:06:07Z  (docstore -1, graph_store +1)',
    ])
    child.kill('SIGINT')
    expect(await end).toMatchObject({ code: 0, signal: null, stderr: '' })
    await storage.close()
  })

  test('--from start --json tells everything there was, and a token goes on after it', async () => {
    const directory = join(varve.directory, 'before')
    const storage = await StorageContext.fromDefaults({ persistDir: directory, clock: () => new Date(time) })
    await commit(storage, 'a')
    await commit(storage, 'b')
    await storage.close()
    const first = varve.start(['follow', directory, '--from', 'start', '--json'])
    const [line] = await new Lines(first).atLeast(2)
    const { hash, token, ...told } = JSON.parse(line!) as Record<string, unknown>
    expect(token).toBe(`1:${String(hash)}`)
    expect(told).toEqual({
      number: 1,
      time,
      kind: 'data',
      actor: 'ann',
      message: 'adds a',
      stores: [{ store: 'docstore', added: ['a'], changed: [], removed: [] }],
    })
    first.kill('SIGTERM')
    expect(await ended(first)).toMatchObject({ code: 0 })

    const second = varve.start(['follow', directory, '--from', String(token), '--json'])
    const [next] = await new Lines(second).atLeast(1)
    expect(JSON.parse(next!)).toMatchObject({ number: 2 })
    second.kill('SIGINT')
    expect(await ended(second)).toMatchObject({ code: 0 })

    const other = await varve.run(['follow', directory, '--from', `1:${'0'.repeat(64)}`])
    expect(other.code).toBe(2)
    expect(other.stderr).toContain('holds another history than was followed')
  })
})

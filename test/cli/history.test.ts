// The verbs that look at history, on directories that the built command did not write.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { TextNode } from '../../src/stores/node.ts'
import { BuiltCommand } from './built-command.ts'

let varve: BuiltCommand

const time = '2026-03-04T05:06:07.089Z'

/** Commit 1 adds two nodes, 2 changes a line of one, 3 deletes the other and adds a triplet. */
async function write(directory: string): Promise<void> {
  const storage = await StorageContext.fromDefaults({ persistDir: directory, clock: () => new Date(time) })
  const add = (...nodes: TextNode[]) => storage.docstore.addDocuments(nodes)
  await add(
    new TextNode({ id_: 'a', text: 'first\nsecond\nthird', metadata: { page: 1 } }),
    new TextNode({ id_: '[b', text: 'a \u001b[31mred herring' }),
  )
  await storage.persist({ actor: 'ann', message: 'first import' })
  await add(new TextNode({ id_: 'a', text: 'first\n2nd\nthird', metadata: { page: 2 } }))
  await storage.persist({ actor: 'bob', message: 'a correction' })
  await storage.docstore.deleteDocument('[b')
  await storage.graphStore.upsertTriplet('Ann', 'knows', 'Bob')
  await storage.persist({ message: 'third' })
  await storage.close()
}

beforeAll(async () => {
  varve = new BuiltCommand()
  await write(join(varve.directory, 'storage'))
}, 120_000)

afterAll(() => varve.remove())

async function lines(...args: string[]): Promise<{ code: number | null; lines: string[] }> {
  const { code, stdout, stderr } = await varve.run(args)
  expect(stderr).toBe('')
  return {
    code,
    lines: stdout
      .replace(/\b[0-9a-f]{8}\b/g, 'HASHHASH')
      .trimEnd()
      .split('\n'),
  }
}

describe('varve log', () => {
  test.each([
    [
      ['--since', '1'],
      [3, 2],
    ],
    [
      ['--until', 'HEAD~1'],
      [2, 1],
    ],
    [['--store', 'graph_store'], [3]],
    [
      ['--store', 'docstore', '--key', 'a'],
      [2, 1],
    ],
    [['--key', '["Ann","knows","Bob"]'], [3]],
    [
      ['--key', '[b'],
      [3, 1],
    ],
    [['--actor', 'bob'], [2]],
    [['--actor', 'nobody'], []],
  ])('takes %j', async (options, numbers) => {
    const { code, stdout } = await varve.run(['log', 'storage', '--json', ...options])
    expect(code).toBe(0)
    const logged = stdout.split('\n').filter(Boolean)
    expect(logged.map((line) => (JSON.parse(line) as { number: number }).number)).toEqual(numbers)
  })
})

describe('varve show', () => {
  test('shows a commit and what it touched', async () => {
    const shown = await lines('show', 'HEAD', 'storage')
    expect(shown).toEqual({
      code: 0,
      lines: [
        '3  HASHHASH  2026-03-04T05:06:07Z  third',
        expect.stringMatching(/^hash {6}[0-9a-f]{64}$/),
        'docstore: 1 NodesDeleted',
        '  [b',
        'graph_store: 1 TripletsAdded',
        '  ["Ann","knows","Bob"]',
      ],
    })
  })

  test('--json has its keys', async () => {
    const { stdout } = await varve.run(['show', '2', 'storage', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      number: 2,
      touched: [{ store: 'docstore', counts: { NodesAdded: 1 }, keys: ['a'] }],
    })
  })
})

describe('varve diff', () => {
  test('shows fields one by one and texts line by line, and answers 1', async () => {
    const diff = await lines('diff', '1', '2', 'storage')
    expect(diff.code).toBe(1)
    expect(diff.lines).toEqual([
      '~ docstore a',
      '  node/text',
      '      first',
      '    - second',
      '    + 2nd',
      '      third',
      '  node/metadata/page',
      '    - 1',
      '    + 2',
      '  hash',
      expect.stringMatching(/^ {4}- \w{64}$/),
      expect.stringMatching(/^ {4}\+ \w{64}$/),
    ])
  })

  test('shows what came and went, without letting it steer the screen', async () => {
    const diff = await lines('diff', '2', 'HEAD', 'storage')
    expect(diff.lines[0]).toBe('- docstore [b')
    expect(diff.lines).toContain('    - a \\u001b[31mred herring')
    expect(diff.lines).toContain('+ graph_store ["Ann","knows","Bob"]')
  })

  test('answers 0 where nothing differs, and takes one store', async () => {
    expect(await lines('diff', '2', '2', 'storage')).toEqual({ code: 0, lines: [''] })
    expect((await lines('diff', '1', '2', 'storage', '--store', 'graph_store')).code).toBe(0)
    const { stdout } = await varve.run(['diff', '0', '1', 'storage', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      added: [{ key: 'a', value: { node: { text: 'first\nsecond\nthird' } } }, { key: '[b' }],
      changed: [],
      removed: [],
    })
  })
})

describe('varve versions', () => {
  test('shows every value, each with its commit', async () => {
    const versions = await lines('versions', 'docstore', '[b', 'storage')
    expect(versions.code).toBe(0)
    expect(versions.lines[0]).toBe('1  HASHHASH  2026-03-04T05:06:07Z  ann: first import')
    expect(versions.lines.slice(-2)).toEqual(['3  HASHHASH  2026-03-04T05:06:07Z  third', '  deleted'])
  })

  test('answers 1 for what was never there', async () => {
    expect((await lines('versions', 'docstore', 'never', 'storage')).code).toBe(1)
  })
})

test('varve tag, tags and restore write commits that log shows', async () => {
  await write(join(varve.directory, 'tagged'))
  expect(await lines('tag', 'v1', 'tagged', '--at', '1', '--actor', 'cli')).toEqual({
    code: 0,
    lines: [expect.stringMatching(/^4 {2}HASHHASH {2}\S+ {2}\[tag\] v1 = 1 cli:$/)],
  })
  expect(await lines('tags', 'tagged')).toEqual({ code: 0, lines: ['1  v1'] })
  const restored = await lines('restore', 'v1', 'tagged', '-m', 'back')
  expect(restored).toEqual({
    code: 0,
    lines: [expect.stringMatching(/^5 {2}HASHHASH {2}\S+ {2}\[restore\] back$/)],
  })
  expect((await lines('diff', 'v1', 'HEAD', 'tagged')).code).toBe(0)
  expect((await lines('restore', 'v1', 'tagged')).lines).toEqual([
    'The present holds what v1 held already: nothing was written.',
  ])
  expect((await lines('tag', 'v1', 'tagged', '--delete')).lines[0]).toContain('[tag] v1 taken away')
  expect((await lines('tags', 'tagged')).lines).toEqual([''])
})

test.each([
  [['show', 'v9', 'storage'], 'There is no moment "v9"'],
  [['diff', '1', '99', 'storage'], 'There is no moment "99"'],
  [['versions', 'nodes', 'a', 'storage'], 'There is no store "nodes".'],
  [['tag', '17', 'storage'], 'The tag "17" looks like a number. Choose another name.'],
  [['restore', 'x', 'nowhere'], 'There is no directory nowhere.'],
])('varve %j says why it cannot answer', async (args, message) => {
  const { code, stdout, stderr } = await varve.run(args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(message)
})

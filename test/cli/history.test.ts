// The verbs that look at history, on directories that the built command did not write.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
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

const nothing = { code: 1, stdout: '', stderr: 'Nothing stands under never in docstore.\n' }

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

test('an id is an id, whatever it looks like; what is neither that nor a triplet is refused', async () => {
  const storage = await StorageContext.fromDefaults({ persistDir: join(varve.directory, 'odd') })
  const ids = ['[1]', '["a","b","c"]']
  await storage.docstore.addDocuments(ids.map((id_) => new TextNode({ id_, text: `text of ${id_}` })))
  await storage.persist()
  await storage.close()
  for (const id of ids) {
    for (const verb of ['cat', 'versions', 'blame'])
      expect((await varve.run([verb, 'docstore', id, 'odd'])).code).toBe(0)
    expect((await lines('log', 'odd', '--store', 'docstore', '--key', id)).lines).toHaveLength(1)
  }
  for (const verb of ['cat', 'versions', 'blame']) {
    const { code, stderr } = await varve.run([verb, 'graph_store', '[null,null,null]'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^varve: \[ null, null, null \] is no key of anything\. Give an id, a triplet/)
  }
})

test('an answer that cannot be written is told, and is no answer', async (context) => {
  if (!existsSync('/dev/full')) context.skip('there is no /dev/full here')
  const command = `'${process.execPath}' '${varve.path}' log storage > /dev/full`
  const { status, stderr } = spawnSync('sh', ['-c', command], { cwd: varve.directory, encoding: 'utf8' })
  expect(status).toBe(2)
  expect(stderr).toBe(
    'varve: The answer cannot be written: ENOSPC: no space left on device, write. Give it room, or send it elsewhere.\n',
  )
})

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
    expect(JSON.parse(stdout.split('\n')[0]!)).toMatchObject({
      change: 'added',
      store: 'docstore',
      key: 'a',
      paths: [{ path: '', after: { node: { text: 'first\nsecond\nthird' } } }],
    })
    const changed = await varve.run(['diff', '2', '1', 'storage', '--json'])
    expect(JSON.parse(changed.stdout)).toMatchObject({
      change: 'changed',
      paths: [
        { path: '/node/text', before: 'first\n2nd\nthird', after: 'first\nsecond\nthird' },
        { path: '/node/metadata/page', before: 2, after: 1 },
        { path: '/hash' },
      ],
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
    expect(await varve.run(['versions', 'docstore', 'never', 'storage'])).toMatchObject(nothing)
  })
})

describe('varve blame', () => {
  test('names for each field the commit that set it last', async () => {
    const blamed = await lines('blame', 'docstore', 'a', 'storage')
    expect(blamed).toEqual({
      code: 0,
      lines: [
        'node/id_            1  HASHHASH  2026-03-04T05:06:07Z  ann: first import',
        'node/text           2  HASHHASH  2026-03-04T05:06:07Z  bob: a correction',
        'node/metadata/page  2  HASHHASH  2026-03-04T05:06:07Z  bob: a correction',
        'hash                2  HASHHASH  2026-03-04T05:06:07Z  bob: a correction',
      ],
    })
    const { stdout } = await varve.run(['blame', 'docstore', 'a', 'storage', '--json'])
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown)[1],
    ).toMatchObject({
      path: '/node/text',
      commit: { number: 2, actor: 'bob' },
    })
  })

  test('answers 1 for what holds nothing, be it gone or never there', async () => {
    expect(await varve.run(['blame', 'docstore', 'never', 'storage'])).toMatchObject(nothing)
    expect((await varve.run(['blame', 'docstore', '[b', 'storage'])).code).toBe(1)
  })
})

describe('varve ls', () => {
  test.each([
    [[], ['docstore', 'graph_store']],
    [['storage'], ['docstore', 'graph_store']],
    [['storage', '--at', '2'], ['docstore']],
    [['docstore'], ['a']],
    [
      ['docstore', 'storage', '--at', 'HEAD~1'],
      ['a', '[b'],
    ],
    [['docstore', 'storage', '--at', '0'], ['']],
    [['graph_store', 'storage'], ['["Ann","knows","Bob"]']],
    [['vector_store/images'], ['']],
  ])('%j lists what is there', async (args, listed) => {
    expect(await lines('ls', ...args)).toEqual({ code: 0, lines: listed })
  })

  test('--json is one object a line', async () => {
    expect((await lines('ls', '--json')).lines).toEqual(['{"store":"docstore"}', '{"store":"graph_store"}'])
    expect((await lines('ls', 'graph_store', 'storage', '--json')).lines).toEqual([
      '{"store":"graph_store","key":["Ann","knows","Bob"]}',
    ])
  })
})

describe('varve cat', () => {
  test('prints what a key holds, field by field, and lets nothing steer the screen', async () => {
    expect(await lines('cat', 'docstore', 'a', 'storage')).toEqual({
      code: 0,
      lines: [
        'node/id_',
        '  a',
        'node/text',
        '  first',
        '  2nd',
        '  third',
        'node/metadata/page',
        '  2',
        'hash',
        expect.stringMatching(/^ {2}\w{64}$/),
      ],
    })
    const past = await lines('cat', 'docstore', '[b', 'storage', '--at', '1')
    expect(past.lines).toContain('  a \\u001b[31mred herring')
    expect((await lines('cat', 'graph_store', '["Ann","knows","Bob"]')).lines).toEqual([
      '  ["Ann","knows","Bob"]',
    ])
  })

  test('--json has the value, and the commit it was asked of', async () => {
    const { stdout } = await varve.run(['cat', 'docstore', 'a', 'storage', '--at', 'HEAD~2', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({
      key: 'a',
      at: 1,
      value: { node: { text: 'first\nsecond\nthird' } },
    })
  })

  test('answers 1 where nothing stands', async () => {
    expect(await varve.run(['cat', 'docstore', 'never', 'storage'])).toMatchObject(nothing)
    expect((await varve.run(['cat', 'docstore', '[b', 'storage'])).code).toBe(1)
  })
})

describe('varve stats', () => {
  test('tells the present from the past', async () => {
    const { stdout } = await varve.run(['stats', 'storage', '--json'])
    const { stores, ...told } = JSON.parse(stdout) as { stores: Record<string, number>[] }
    expect(told).toMatchObject({
      directory: 'storage',
      commits: 3,
      tags: 0,
      oldest: { number: 1 },
      newest: { number: 3 },
    })
    expect(stores).toMatchObject([
      { store: 'docstore', keys: 1, segments: 1, lastCommit: 3 },
      { store: 'graph_store', keys: 1, segments: 1, lastCommit: 3 },
    ])
    const [docstore] = stores
    // Of four nodes, three are past.
    expect(docstore!['liveBytes']! / docstore!['bytes']!).toBeGreaterThan(0.1)
    expect(docstore!['liveBytes']! / docstore!['bytes']!).toBeLessThan(0.5)
  })

  test('as lines has a row for each store and one for the commits', async () => {
    const { lines: shown } = await lines('stats', 'storage')
    expect(shown.slice(0, 4)).toEqual([
      expect.stringMatching(/^storage: 3 commits, 0 tags, [\d.]+ kB$/),
      'oldest  1  HASHHASH  2026-03-04T05:06:07Z  ann: first import',
      'newest  3  HASHHASH  2026-03-04T05:06:07Z  third',
      '',
    ])
    expect(shown.slice(4).map((line) => line.split(/ {2,}/)[0])).toEqual([
      '',
      'docstore',
      'graph_store',
      'commits',
    ])
  })
})

test('varve revert takes back one commit, and says why where it cannot', async () => {
  await write(join(varve.directory, 'reverted'))
  const refused = await varve.run(['revert', '1', 'reverted'])
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('Commits after 1 touched what it did: "a" in docstore, "[b" in docstore.')
  expect(await lines('revert', 'HEAD', 'reverted', '-m', 'too early', '--actor', 'cli')).toEqual({
    code: 0,
    lines: [expect.stringMatching(/^4 {2}HASHHASH {2}\S+ {2}\[revert\] cli: too early$/)],
  })
  expect((await lines('ls', 'docstore', 'reverted')).lines).toEqual(['a', '[b'])
  expect((await lines('diff', '2', 'HEAD', 'reverted')).code).toBe(0)
  await varve.run(['tag', 'v1', 'reverted'])
  expect((await lines('revert', 'v1', 'reverted', '--json')).lines[0]).toContain('"kind":"revert"')
  expect((await lines('revert', '5', 'reverted')).lines).toEqual([
    'What 5 changed is as it was before: nothing was written.',
  ])
})

test('varve tag, tags and restore write commits that log shows', async () => {
  await write(join(varve.directory, 'tagged'))
  expect(await lines('tag', 'v1', 'tagged', '--at', '1', '--actor', 'cli')).toEqual({
    code: 0,
    lines: [expect.stringMatching(/^4 {2}HASHHASH {2}\S+ {2}\[tag\] v1 = 1 cli:$/)],
  })
  expect(await lines('tags', 'tagged')).toEqual({ code: 0, lines: ['1  v1'] })
  expect((await lines('tags', 'tagged', '--json')).lines).toEqual(['{"name":"v1","commit":1}'])
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
  [['revert', '0', 'storage'], 'There is no commit 0 to revert'],
  [['ls', 'nodes'], 'There is no directory nodes.'],
  [['ls', 'nodes', 'storage'], 'There is no store "nodes".'],
  [['ls', 'docstore', 'storage', '--at', '99'], 'There is no moment "99"'],
  [['cat', 'docstore', 'a', 'storage', '--at', 'v9'], 'There is no moment "v9"'],
  [['cat', 'docstore'], "missing required argument 'key'"],
  [['stats', 'storage', 'docstore'], 'too many arguments'],
])('varve %j says why it cannot answer', async (args, message) => {
  const { code, stdout, stderr } = await varve.run(args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain(message)
})

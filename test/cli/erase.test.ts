// `varve erase` as a person sees it, on directories that the built command did not write.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { TextNode } from '../../src/stores/node.ts'
import { BuiltCommand } from './built-command.ts'

let varve: BuiltCommand
beforeAll(() => {
  varve = new BuiltCommand()
}, 120_000)
afterAll(() => varve.remove())

const of = (id_: string, nodeId: string, text: string): TextNode =>
  new TextNode({ id_, text, relationships: { SOURCE: { nodeId, metadata: {} } } })

async function write(name: string): Promise<string> {
  const persistDir = join(varve.directory, name)
  const storage = await StorageContext.fromDefaults({ persistDir })
  await storage.docstore.addDocuments([of('a', 'contract', 'quixotic'), of('b', 'other', 'harmless')])
  await storage.persist()
  await storage.close()
  return persistDir
}

test('a document goes, and the report says what was reached and what cannot be', async () => {
  const persistDir = await write('one')
  const { code, stdout } = await varve.run([
    'erase',
    'one',
    '--ref-doc',
    'contract',
    '--reason',
    'request 17',
  ])
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    'Erased 1 document with 1 node in commit 2:',
    '  docstore: 1 item, over all commits',
    'Beyond reach, if there are any:',
  ])
  expect(code).toBe(0)
  const files = readdirSync(persistDir, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  )
  for (const file of files)
    expect(readFileSync(join(file.parentPath, file.name)).includes('quixotic'), file.name).toBe(false)
  const log = await varve.run(['log', 'one'])
  expect(log.stdout).toMatch(/request 17/)
  const verified = await varve.run(['verify', 'one'])
  expect(verified.stdout).toContain('1 item erased by commit 2.')
  expect(verified.code).toBe(0)
  for (const verb of ['cat', 'versions', 'blame']) {
    const { code: none, stderr } = await varve.run([verb, 'docstore', 'a', 'one'])
    expect([none, stderr]).toEqual([1, 'a was erased by commit 2.\n'])
  }
})

test('the same as JSON', async () => {
  await write('two')
  const { code, stdout } = await varve.run([
    'erase',
    '--node',
    'a',
    '--node',
    'b',
    'two',
    '--reason',
    'r',
    '--actor',
    'ann',
    '--json',
  ])
  expect(JSON.parse(stdout)).toMatchObject({
    complete: true,
    commit: { number: 2, kind: 'erase', actor: 'ann', message: 'r' },
    nodeIds: ['a', 'b'],
    imported: { removed: [], notReached: [] },
  })
  expect(code).toBe(0)
})

test('imported files are named and make the answer a no, unless they are to go', async () => {
  mkdirSync(join(varve.directory, 'json'))
  const data = { a: { __data__: { id_: 'a', text: 'quixotic', class_name: 'TextNode' }, __type__: '1' } }
  const path = join(varve.directory, 'json', 'docstore.json')
  writeFileSync(path, JSON.stringify({ 'docstore/data': data }))
  await varve.run(['import', 'json'])
  const first = await varve.run(['erase', 'json', '--node', 'a', '--reason', 'r'])
  expect(first.stdout).toContain(
    'Not reached: docstore.json, which was imported; --remove-imported removes it.',
  )
  expect(first.code).toBe(1)
  const second = await varve.run(['erase', 'json', '--node', 'a', '--reason', 'r', '--remove-imported'])
  expect(second.stdout).toContain('All of it was erased before: nothing was written.')
  expect(second.stdout).toContain('Removed docstore.json, which was imported.')
  expect(second.code).toBe(0)
  expect(readdirSync(join(varve.directory, 'json'))).not.toContain('docstore.json')
})

test.each([
  [['--reason', 'r'], 'erase() takes refDocIds or nodeIds'],
  [['--node', 'nobody', '--reason', 'r'], 'Nothing in this history was ever called nobody'],
  [['--node', 'a'], '--reason'],
])('%j cannot be asked', async (options, message) => {
  await write(`bad-${options.length}-${message.length}`)
  const { code, stderr } = await varve.run(['erase', `bad-${options.length}-${message.length}`, ...options])
  expect(stderr).toContain(message)
  expect(code).toBe(2)
})

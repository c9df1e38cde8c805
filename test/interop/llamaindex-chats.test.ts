import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { directoryOf, messages, readFiles } from './made-directory.ts'

const message = { role: 'user', content: 'Hello', additional_kwargs: {} }
const store = {
  store: { b: [message, { ...message, role: 'assistant' }], a: [] },
  class_name: 'SimpleChatStore',
}

/** What Python persisted (../stores/fixtures/make.py). */
const { file: python } = (
  JSON.parse(readFileSync(new URL('../stores/fixtures/chats.json', import.meta.url), 'utf8')) as {
    file: string
  }[]
).at(-1)!

describe.each<[string, string]>([
  ['an object', JSON.stringify(store)],
  ['an object in a text, as a version between wrote it', JSON.stringify(JSON.stringify(store))],
  ['an object with a byte order mark', `\ufeff${JSON.stringify(store)}`],
])('a chat store that is %s', (_, text) => {
  test('is imported whole, with a commit of its own', async () => {
    const persistDir = await directoryOf({ 'chat_store.json': text })
    const warnings: string[] = []
    const open = () => StorageContext.fromDefaults({ persistDir, onWarning: (each) => warnings.push(each) })
    const storage = await open()
    expect(await storage.chatStore.getKeys()).toEqual(['b', 'a'])
    expect(await storage.chatStore.getMessages('b')).toEqual(store.store.b)
    await storage.chatStore.addMessage('a', message)
    await storage.persist()
    await storage.close()
    const again = await open()
    expect(await again.chatStore.getMessages('b')).toEqual(store.store.b)
    expect(await again.chatStore.getMessages('a')).toEqual([message])
    const kinds: string[] = []
    for await (const { kind } of again.commits()) kinds.push(kind)
    expect([kinds, warnings]).toEqual([['data', 'import'], []])
    await again.close()
  })
})

test('what Python writes keeps its floats and the order of its keys', async () => {
  const { chats } = await readFiles({ 'chat_store.json': python })
  expect(chats!.map(([key]) => key)).toEqual(['b', 'a', 'ü'])
  const [, [last]] = chats!.at(-1)!
  expect(last!.value).toEqual({
    role: 'assistant',
    additional_kwargs: { cost: 1, '10': null, '9': [1] },
    blocks: [{ block_type: 'text', text: 'Schön 😀' }],
  })
  expect(last!.spelling.floats).toEqual(new Set(['/additional_kwargs/cost']))
  expect(last!.spelling.keyOrders.get('/additional_kwargs')).toEqual(['cost', '10', '9'])
})

test('a chat store beside a context is read with it, and a missing context is said as before', async () => {
  const content = await readFiles({ 'chat_store.json': store, 'graph_store.json': {} })
  expect(content.chats).toHaveLength(2)
  expect(messages(content)).toEqual([
    'docstore.json: It is missing: there are no nodes.',
    'index_store.json: It is missing: there is no index to load.',
  ])
})

test('what is no message is left out, and said', async () => {
  const content = await readFiles({
    'chat_store.json': { store: { a: [message, 5], b: 'x', __proto: [] }, class_name: 'C', version: 2 },
  })
  expect(content.chats!.map(([key, list]) => [key, list.length])).toEqual([
    ['a', 1],
    ['b', 0],
    ['__proto', 0],
  ])
  expect(messages(content)).toEqual([
    'chat_store.json: The parts version are unknown, and were left out.',
    'chat_store.json: "a" has 1 that are no messages; left out.',
    'chat_store.json: "b" has no list of messages; left out.',
  ])
})

test('a store that is no object is an error that names the file', async () => {
  await expect(readFiles({ 'chat_store.json': { store: [] } })).rejects.toMatchObject({
    code: 'VARVE_BAD_FILE',
    fields: { file: 'chat_store.json' },
  })
})

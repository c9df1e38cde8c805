// Chats, beside what LlamaIndex for Python answers (fixtures/make.py).
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SimpleChatStore } from '../../src/context/simple-stores.ts'
import { MemoryDisk } from '../../src/disk/memory-disk.ts'
import type { ChatMessage, ChatStore } from '../../src/stores/contract.ts'
import { expectCode, inEveryWay, openStorage, type Stage } from './store-cases.ts'

interface Step {
  do: 'add' | 'insert' | 'delete' | 'last' | 'set' | 'end'
  key: string
  text: string
  texts: string[]
  idx: number
  answer: string | string[] | null
  held: Record<string, string[]>
}

const python = JSON.parse(readFileSync(new URL('fixtures/chats.json', import.meta.url), 'utf8')) as Step[]
const steps = python.filter((each) => each.do)

const say = (text: string): ChatMessage => ({
  role: 'user',
  additional_kwargs: {},
  blocks: [{ block_type: 'text', text }],
})
const textOf = (message: ChatMessage | undefined) =>
  message && (message.blocks as { text: string }[])[0]!.text

async function take(store: ChatStore, step: Step): Promise<unknown> {
  switch (step.do) {
    case 'add':
      return store.addMessage(step.key, say(step.text))
    case 'insert':
      return store.addMessage(step.key, say(step.text), step.idx)
    case 'delete':
      return textOf(await store.deleteMessage(step.key, step.idx))
    case 'last':
      return textOf(await store.deleteLastMessage(step.key))
    case 'set':
      return store.setMessages(step.key, step.texts.map(say))
    case 'end':
      return (await store.deleteMessages(step.key))?.map(textOf)
  }
}

async function heldBy(store: ChatStore): Promise<[string, unknown[]][]> {
  const held: [string, unknown[]][] = []
  for (const key of await store.getKeys()) held.push([key, (await store.getMessages(key)).map(textOf)])
  return held
}

inEveryWay('chats change as in Python, step by step', async (stage) => {
  expect(steps.length).toBeGreaterThan(40)
  for (const [at, step] of steps.entries()) {
    expect([at, (await take(stage.storage.chatStore, step)) ?? null]).toEqual([at, step.answer ?? null])
    if (at % 5 === 0) await stage.step()
    expect([at, await heldBy(stage.storage.chatStore)]).toEqual([at, Object.entries(step.held)])
  }
})

inEveryWay('a message comes back with every field', async (stage) => {
  const message = {
    role: 'tool',
    content: null,
    additional_kwargs: { zero: -0, deep: [{ a: 1n }], __proto: 1 },
    unknown: 'x\ud800',
  }
  await stage.storage.chatStore.addMessage('../../a key', message)
  message.additional_kwargs.zero = 5
  await stage.step()
  const [held] = await stage.storage.chatStore.getMessages('../../a key')
  expect(held).toEqual({ ...message, additional_kwargs: { ...message.additional_kwargs, zero: -0 } })
  expect(await stage.storage.chatStore.getMessages('unknown')).toEqual([])
})

inEveryWay('where there is nothing to delete, nothing happens', async (stage) => {
  const { chatStore } = stage.storage
  expect(await chatStore.deleteMessages('a')).toBeUndefined()
  expect(await chatStore.deleteMessage('a', 0)).toBeUndefined()
  expect(await chatStore.deleteLastMessage('a')).toBeUndefined()
  await chatStore.setMessages('a', [])
  expect(await chatStore.deleteLastMessage('a')).toBeUndefined()
  expect(await chatStore.deleteMessage('a', -3)).toBeUndefined()
  await stage.step()
  expect(await stage.storage.chatStore.getKeys()).toEqual(['a'])
})

inEveryWay('a transaction that fails leaves chats as they were', async (stage) => {
  await stage.storage.chatStore.setMessages('a', ['1', '2', '3'].map(say))
  await stage.step()
  const { storage } = stage
  const failing = storage.transaction({}, async () => {
    await storage.chatStore.deleteMessage('a', 1)
    await storage.chatStore.addMessage('a', say('first'), 0)
    await storage.chatStore.addMessage('b', say('other'))
    expect(await heldBy(storage.chatStore)).toEqual([
      ['a', ['first', '1', '3']],
      ['b', ['other']],
    ])
    throw new Error('taken back')
  })
  await expect(failing).rejects.toThrow('taken back')
  expect(await heldBy(storage.chatStore)).toEqual([['a', ['1', '2', '3']]])
})

test('what is written is what changed, also if all messages are given', async () => {
  const disk = new MemoryDisk()
  const stage = { storage: await openStorage({ disk, persistDir: '/storage' }) } as Stage
  const { chatStore } = stage.storage
  const written = async () => {
    await stage.storage.persist()
    return (await disk.stat('/storage/chat_store/0000000001.log'))!.sizeBytes
  }
  const messages = Array.from({ length: 500 }, (_, at) => say(`${at}: ${'x'.repeat(1000)}`))
  await chatStore.setMessages('a', messages)
  const begin = await written()
  expect(begin).toBeGreaterThan(500_000)
  const more = [...messages, say('one more')]
  const without = more.toSpliced(100, 1)
  for (const all of [more, without, [say('before'), ...without]]) await chatStore.setMessages('a', all)
  expect((await written()) - begin).toBeLessThan(2000)
  expect((await chatStore.getMessages('a')).slice(0, 2).map(textOf)).toEqual(['before', textOf(messages[0])])
  expect(await chatStore.getMessages('a')).toHaveLength(501)
})

test('bad keys, messages and indices are refused, and nothing is added', async () => {
  const { chatStore } = await openStorage({})
  const cyclic = say('x')
  cyclic.self = cyclic
  await expectCode(chatStore.addMessage('', say('x')), 'VARVE_BAD_ID')
  await expectCode(chatStore.setMessages(5 as unknown as string, []), 'VARVE_BAD_ID')
  await expectCode(chatStore.addMessage('a', cyclic), 'VARVE_BAD_METADATA')
  await expectCode(
    chatStore.setMessages('a', [say('x'), 'y' as unknown as ChatMessage]),
    'VARVE_BAD_METADATA',
  )
  await expectCode(chatStore.addMessage('a', say('x'), 1.5), 'VARVE_BAD_OPTION')
  await expectCode(chatStore.deleteMessage('a', Number.NaN), 'VARVE_BAD_OPTION')
  expect(await chatStore.getKeys()).toEqual([])
})

test('a chat store can be had by itself, and moves into a context with what it holds', async () => {
  const disk = new MemoryDisk()
  const alone = new SimpleChatStore()
  await alone.addMessage('a', say('hello'))
  const storage = await openStorage({ disk, persistDir: '/storage', chatStore: alone })
  expect(storage.chatStore).toBe(alone)
  await storage.persist()
  await storage.close()
  const again = await SimpleChatStore.fromPersistDir('/storage', { disk })
  expect(await heldBy(again)).toEqual([['a', ['hello']]])
  await again.close()
})

test('a chat store that persists by itself is used, and named where it cannot be rolled back', async () => {
  class Elsewhere {
    readonly persistsByItself = true
  }
  const chatStore = new Elsewhere() as unknown as ChatStore
  const storage = await openStorage({ chatStore })
  expect(storage.chatStore).toBe(chatStore)
  await expectCode(storage.rollback(), 'VARVE_FOREIGN_STORE')
  await expect(storage.rollback()).rejects.toThrow('Elsewhere')
})

test('a copy of a directory has its chats, and replaces those that were there', async () => {
  const disk = new MemoryDisk()
  const storage = await openStorage({ disk, persistDir: '/storage' })
  await storage.chatStore.setMessages('empty', [])
  await storage.chatStore.setMessages('a', ['1', '2'].map(say))
  await storage.persist()
  await storage.persist('/copy')
  await storage.chatStore.deleteMessages('empty')
  await storage.chatStore.addMessage('a', say('0'), 0)
  await storage.persist('/copy')
  const copy = await openStorage({ disk, persistDir: '/copy' })
  expect(await heldBy(copy.chatStore)).toEqual([['a', ['0', '1', '2']]])
})

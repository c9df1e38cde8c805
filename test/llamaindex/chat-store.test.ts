import type { ChatMessage } from '@llamaindex/core/llms'
import { ChatMemoryBuffer } from '@llamaindex/core/memory'
import { expect, test } from 'vitest'
import { expectCode } from '../stores/store-cases.ts'
import { open, reopen, settled } from './support.ts'

const said = (content: string): ChatMessage => ({ role: 'user', content })

test('a memory keeps its chat in the directory, though it awaits nothing', async () => {
  const { context, disk } = await open()
  const memory = new ChatMemoryBuffer({
    llm: { metadata: { contextWindow: 4_000 } } as never,
    tokenLimit: 1_000,
    chatStore: context.chatStore,
    chatStoreKey: 'ann',
  })
  void memory.put(said('Hello.'))
  void memory.put({
    role: 'assistant',
    content: [{ type: 'text', text: 'Hi.' }],
    options: { toolCall: [1] },
  })
  expect(await memory.getAllMessages()).toHaveLength(2)
  await settled(context)
  const { chatStore } = await reopen(disk)
  expect(await chatStore.getMessages('ann')).toEqual([
    said('Hello.'),
    { role: 'assistant', content: [{ type: 'text', text: 'Hi.' }], options: { toolCall: [1] } },
  ])
  expect([...(await chatStore.getKeys())]).toEqual(['ann'])
})

test('calls take effect in the order they are made, with the messages as they were', async () => {
  const { context } = await open()
  const { chatStore } = context
  const message = said('a')
  void chatStore.setMessages('k', [message, said('c')])
  message.content = 'changed'
  void chatStore.addMessage('k', said('b'), 1)
  void chatStore.addMessage('k', said('d'))
  void chatStore.deleteMessage('k', 0)
  expect((await chatStore.getMessages('k')).map(({ content }) => content)).toEqual(['b', 'c', 'd'])
  void chatStore.deleteMessages('k')
  expect(await chatStore.getMessages('k')).toEqual([])
  expect([...(await chatStore.getKeys())]).toEqual([])
})

test('what was said before persist() or close() is in it', async () => {
  const { context, disk } = await open()
  void context.chatStore.addMessage('k', said('a'))
  expect(await context.persist()).toMatchObject({ number: 1 })
  void context.chatStore.addMessage('k', said('b'))
  await context.close()
  expect(await (await reopen(disk)).chatStore.getMessages('k')).toHaveLength(2)
})

test('a call that fails unheard is told of, and the next ones go on', async () => {
  const { context, warnings } = await open()
  void context.chatStore.deleteMessage('k', 0.5)
  await expectCode(context.chatStore.deleteMessage('k', 0.5), 'VARVE_BAD_OPTION')
  await context.chatStore.addMessage('k', said('a'))
  expect(await context.chatStore.getMessages('k')).toEqual([said('a')])
  expect(warnings).toEqual([
    expect.stringMatching(/^Not saved: idx is 0\.5/),
    expect.stringMatching(/^Not saved: /),
  ])
})

test('inside a transaction nothing waits for a call from outside, which waits for the transaction', async () => {
  const { context } = await open()
  const { chatStore, storage } = context
  let enter = (): void => {}
  const entered = new Promise<void>((resolve) => (enter = resolve))
  let goOn = (): void => {}
  const later = new Promise<void>((resolve) => (goOn = resolve))
  const transaction = storage.transaction({}, async () => {
    await chatStore.addMessage('k', said('inside'))
    enter()
    await later
    expect(await chatStore.getMessages('k')).toEqual([said('inside')])
    await expectCode(context.persist(), 'VARVE_IN_TRANSACTION')
  })
  await entered
  const outside = chatStore.addMessage('k', said('outside'))
  goOn()
  await transaction
  await outside
  expect(await chatStore.getMessages('k')).toEqual([said('inside'), said('outside')])
})

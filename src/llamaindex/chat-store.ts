/**
 * Our chat store as LlamaIndexTS's, whose memories await nothing: calls take effect in the order they are made, whatever they wait for, and one that fails unheard is told to
 * `onWarning`. Those of a transaction wait for none from outside, which wait for the transaction.
 */
import type { ChatMessage } from '@llamaindex/core/llms'
import type { StorageContext } from '../context/storage-context.ts'
import type { ChatMessage as OwnMessage, ChatStore } from '../stores/contract.ts'
import { checkMetadata } from '../stores/metadata.ts'
import type { Autosave } from './autosave.ts'

/** Of the shape of `BaseChatStore`, whose `void` is here a promise for those who ask. */
export class DropInChatStore {
  readonly #chats: ChatStore
  readonly #autosave: Autosave
  readonly #storage: StorageContext
  readonly #last: Record<'inside' | 'outside', Promise<unknown>> = {
    inside: Promise.resolve(),
    outside: Promise.resolve(),
  }

  constructor(storage: StorageContext, autosave: Autosave) {
    this.#storage = storage
    this.#chats = storage.chatStore
    this.#autosave = autosave
  }

  setMessages(key: string, messages: ChatMessage[]): Promise<void> {
    const taken = messages.map(asItIsNow)
    return this.#change(() => this.#chats.setMessages(key, taken))
  }

  getMessages(key: string): Promise<ChatMessage[]> {
    return this.#next(async () => (await this.#chats.getMessages(key)) as unknown as ChatMessage[])
  }

  addMessage(key: string, message: ChatMessage, idx?: number): Promise<void> {
    const taken = asItIsNow(message)
    return this.#change(() => this.#chats.addMessage(key, taken, idx))
  }

  deleteMessages(key: string): Promise<void> {
    return this.#change(() => this.#chats.deleteMessages(key))
  }

  deleteMessage(key: string, idx: number): Promise<void> {
    return this.#change(() => this.#chats.deleteMessage(key, idx))
  }

  getKeys(): Promise<IterableIterator<string>> {
    return this.#next(async () => (await this.#chats.getKeys()).values())
  }

  /** When every call so far has taken effect; inside a transaction: every one of the transaction's. */
  async settled(): Promise<void> {
    await this.#last[this.#side]
  }

  get #side(): 'inside' | 'outside' {
    return this.#storage.inTransaction ? 'inside' : 'outside'
  }

  #change(call: () => Promise<unknown>): Promise<void> {
    const done = this.#next(async () => void (await call()))
    done.catch((error: Error) => this.#autosave.warn(error))
    return done
  }

  #next<T>(call: () => Promise<T>): Promise<T> {
    const side = this.#side
    const done = this.#autosave.during(() => this.#last[side].then(call))
    // Whoever asked is told; the next call does not depend on it.
    this.#last[side] = done.catch(() => {})
    return done
  }
}

function asItIsNow(message: ChatMessage): OwnMessage {
  return checkMetadata(message, 'chat message') as unknown as OwnMessage
}

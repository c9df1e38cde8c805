/** The chat store that keeps its messages in the journal: LlamaIndex's `SimpleChatStore`, where a message that comes or goes is all that is written. */
import { VarveError } from '../errors.ts'
import type { Position } from '../journal/event.ts'
import type { JournalHandle } from '../journal/handle.ts'
import { chatDifference } from './chat-difference.ts'
import {
  chatsBegun,
  chatsDeleted,
  decodeMessage,
  encodeMessage,
  messagesAdded,
  messagesDeleted,
} from './chat-events.ts'
import { keysOf, type ChatState } from './chat-state.ts'
import type { ChatMessage, ChatStore } from './contract.ts'
import { checkId } from './ids.ts'
import { JournalStore } from './journal-store.ts'
import { checkMetadata } from './metadata.ts'
import { plainSpelling } from './spelling.ts'
import { escapeText } from './storable.ts'

export const chatFolder = 'chat_store'

export class JournalChatStore extends JournalStore<ChatState> implements ChatStore {
  constructor(handle: JournalHandle) {
    super(handle, chatFolder)
  }

  /** What the chat begins and ends with already is not written again. */
  async setMessages(key: string, messages: readonly ChatMessage[]): Promise<void> {
    checkId(key, 'chat key')
    const payloads = messages.map(toPayload)
    await this.change((state, append) => {
      const positions = state.chats.get(escapeText(key))
      if (positions === undefined) append(chatsBegun([key]))
      const known = this.handle.payloads(this.folder, positions ?? [])
      for (const event of chatDifference({ key, known, wanted: payloads })) append(event)
    })
  }

  async getMessages(key: string): Promise<ChatMessage[]> {
    return this.read(({ chats }) => this.#messages(chats.get(escapeText(key)) ?? []))
  }

  async addMessage(key: string, message: ChatMessage, idx?: number): Promise<void> {
    checkId(key, 'chat key')
    if (idx !== undefined) checkIndex(idx)
    const payload = toPayload(message)
    await this.change(({ chats }, append) => {
      const { length } = chats.get(escapeText(key)) ?? []
      const at = idx === undefined ? length : idx < 0 ? Math.max(0, length + idx) : Math.min(idx, length)
      append(messagesAdded([{ key, index: at === length ? null : at, payload }]))
    })
  }

  async deleteMessages(key: string): Promise<ChatMessage[] | undefined> {
    return this.change(({ chats }, append) => {
      const positions = chats.get(escapeText(key))
      if (positions === undefined) return undefined
      const messages = this.#messages(positions)
      append(chatsDeleted([key]))
      return messages
    })
  }

  async deleteMessage(key: string, idx: number): Promise<ChatMessage | undefined> {
    checkIndex(idx)
    return this.change(({ chats }, append) => {
      const positions = chats.get(escapeText(key)) ?? []
      const at = idx < 0 ? positions.length + idx : idx
      const position = positions[at]
      if (position === undefined) return undefined
      const [message] = this.#messages([position])
      append(messagesDeleted(key, [at]))
      return message
    })
  }

  async deleteLastMessage(key: string): Promise<ChatMessage | undefined> {
    return this.deleteMessage(key, -1)
  }

  async getKeys(): Promise<string[]> {
    return this.read((state) => [...keysOf(state)])
  }

  #messages(positions: readonly Position[]): ChatMessage[] {
    const { folder } = this
    const payloads = this.handle.payloads(folder, positions)
    return positions.map(
      (position, at) => decodeMessage(payloads[at]!, { folder, position }).value as ChatMessage,
    )
  }
}

function toPayload(message: ChatMessage): Uint8Array {
  return encodeMessage({ value: checkMetadata(message, 'chat message'), spelling: plainSpelling })
}

function checkIndex(idx: number): void {
  if (Number.isSafeInteger(idx)) return
  throw new VarveError('VARVE_BAD_OPTION', `idx is ${String(idx)}.`, {
    remedy: 'Give a whole number; below 0 it counts from the end.',
  })
}

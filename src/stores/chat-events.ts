/**
 * What happens in a chat store. Rows are lists; keys are escaped as `storable.ts` says.
 *
 * | event             | row                                                          | payload     |
 * |-------------------|--------------------------------------------------------------|-------------|
 * | `ChatsBegun`      | key: a chat without messages, unless there is one            |             |
 * | `MessagesAdded`   | key, the index it has from then on; `null`: at the end       | the message |
 * | `MessagesDeleted` | key, index                                                   |             |
 * | `ChatsDeleted`    | key                                                          |             |
 *
 * Items of one event happen one after another. The payload is the msgpack of the message's fields, as `stored-metadata.ts` says.
 */
import { encode, tryDecode } from '../journal/codec.ts'
import type { EventInput } from '../journal/event.ts'
import { count, orNull, text, tuple } from '../journal/shape.ts'
import type { ChatMessage } from './contract.ts'
import { unknownForm, type PayloadPlace } from './payload-place.ts'
import { escapeText } from './storable.ts'
import { storedMetadata, treeFromStored, treeToStored, type SpelledTree } from './stored-metadata.ts'

export type MessageRow = [key: string, index: number | null]

export const chatRows = {
  ChatsBegun: tuple(text),
  MessagesAdded: tuple(text, orNull(count)),
  MessagesDeleted: tuple(text, count),
  ChatsDeleted: tuple(text),
}

export interface PlacedMessage {
  key: string
  index: number | null
  payload: Uint8Array
}

export function chatsBegun(keys: Iterable<string>): EventInput {
  return { type: 'ChatsBegun', items: Array.from(keys, (key) => ({ row: [escapeText(key)] })) }
}

export function messagesAdded(messages: Iterable<PlacedMessage>): EventInput {
  const items = Array.from(messages, ({ key, index, payload }) => ({
    row: [escapeText(key), index] satisfies MessageRow,
    payload,
  }))
  return { type: 'MessagesAdded', items }
}

export function messagesDeleted(key: string, indices: Iterable<number>): EventInput {
  const items = Array.from(indices, (index) => ({ row: [escapeText(key), index] satisfies MessageRow }))
  return { type: 'MessagesDeleted', items }
}

export function chatsDeleted(keys: Iterable<string>): EventInput {
  return { type: 'ChatsDeleted', items: Array.from(keys, (key) => ({ row: [escapeText(key)] })) }
}

export function encodeMessage({ value, spelling }: SpelledTree): Uint8Array {
  return encode(treeToStored(value, spelling))
}

/** Throws `VARVE_CORRUPT`. */
export function decodeMessage(payload: Uint8Array, place: PayloadPlace): ChatMessage {
  const stored = tryDecode(payload)
  if (!storedMetadata(stored)) throw unknownForm('a message', place)
  return treeFromStored(stored).value as ChatMessage
}

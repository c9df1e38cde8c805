/** What a chat store folds to: of each key where its messages stand, in order. Keys are escaped as `storable.ts` says. */
import type { Position, StoreKind, StoredEvent } from '../journal/event.ts'
import { listOf } from '../journal/shape.ts'
import { Table, type UndoLog, type ValueCodec } from '../journal/table.ts'
import { chatRows, chatsBegun, chatsDeleted, messagesAdded, type MessageRow } from './chat-events.ts'
import { inGroups } from './in-groups.ts'
import { plainPosition, positionFromPlain, positionToPlain, type PlainPosition } from './position-codec.ts'
import { unescapeText } from './storable.ts'

export type ChatState = {
  chats: Table<Position[]>
}

export const chatKind: StoreKind<ChatState> = {
  initialState: (undo: UndoLog) => ({ chats: new Table(positionsCodec, undo) }),
  rows: chatRows,
  evolve,
  *present(state, payload) {
    yield* inGroups(keysOf(state), chatsBegun)
    yield* inGroups(allMessages(state), (group) =>
      messagesAdded(group.map(({ key, position }) => ({ key, index: null, payload: payload(position) }))),
    )
  },
  *clearing(state) {
    yield* inGroups([...keysOf(state)], chatsDeleted)
  },
}

/** In the order they were begun. */
export function* keysOf({ chats }: ChatState): Generator<string> {
  for (const key of chats.keys()) yield unescapeText(key)
}

function* allMessages({ chats }: ChatState): Generator<{ key: string; position: Position }> {
  for (const [key, positions] of chats.entries())
    for (const position of positions) yield { key: unescapeText(key), position }
}

function evolve({ chats }: ChatState, { type, items }: StoredEvent): void {
  for (const { row, position } of items) {
    const [key, index] = row as MessageRow
    if (type === 'ChatsBegun' && !chats.has(key)) chats.set(key, [])
    else if (type === 'MessagesAdded') addMessage(chats, row as MessageRow, position)
    else if (type === 'MessagesDeleted') deleteMessage(chats, key, index!)
    else if (type === 'ChatsDeleted') chats.delete(key)
  }
}

function addMessage(chats: ChatState['chats'], [key, index]: MessageRow, position: Position): void {
  const messages = chats.get(key)
  if (messages === undefined) return chats.set(key, [position])
  const at = index ?? messages.length
  chats.update(
    key,
    (value) => value.splice(at, 0, position),
    (value) => value.splice(at, 1),
  )
}

function deleteMessage(chats: ChatState['chats'], key: string, at: number): void {
  const position = chats.get(key)?.[at]
  if (position === undefined) return
  chats.update(
    key,
    (value) => value.splice(at, 1),
    (value) => value.splice(at, 0, position),
  )
}

const positionsCodec: ValueCodec<Position[]> = {
  shape: listOf(plainPosition),
  toPlain: (positions) => positions.map(positionToPlain),
  fromPlain: (plain) => (plain as PlainPosition[]).map(positionFromPlain),
  copy: (positions) => [...positions],
}

/** What turns one list of messages into another: what both begin and end with is not written again. */
import type { EventInput } from '../journal/event.ts'
import { messagesAdded, messagesDeleted } from './chat-events.ts'

export interface ChatDifference {
  key: string
  /** The payloads of the messages that are there, and of those that are to be. */
  known: readonly Uint8Array[]
  wanted: readonly Uint8Array[]
}

export function chatDifference({ key, known, wanted }: ChatDifference): EventInput[] {
  const shorter = Math.min(known.length, wanted.length)
  let begin = 0
  while (begin < shorter && isEqual(known[begin]!, wanted[begin]!)) begin++
  let end = 0
  while (end < shorter - begin && isEqual(known.at(-1 - end)!, wanted.at(-1 - end)!)) end++
  const gone = Array.from({ length: known.length - begin - end }, () => begin)
  const come = wanted.slice(begin, wanted.length - end)
  return [
    messagesDeleted(key, gone),
    messagesAdded(come.map((payload, at) => ({ key, index: end === 0 ? null : begin + at, payload }))),
  ]
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

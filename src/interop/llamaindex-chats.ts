/** Reads `chat_store.json` in each of the forms that LlamaIndex for Python wrote: an object, or an object in a text. Messages keep whatever fields they have. */
import { keysAsRead } from '../stores/float.ts'
import { takeSpelling } from '../stores/spelling.ts'
import type { SpelledTree } from '../stores/stored-metadata.ts'
import type { ReadContext } from './llamaindex-docstore.ts'
import { isObject } from './llamaindex-field.ts'
import { readJson } from './llamaindex-json.ts'
import { objectAt, unwrapText } from './llamaindex-shape.ts'

export function readChats(
  bytes: Uint8Array,
  { file, warn }: Omit<ReadContext, 'dialect'>,
): [key: string, messages: SpelledTree[]][] {
  const tree = objectAt(unwrapText(readJson(bytes, file), file), file, 'it')
  const others = keysAsRead(tree).filter((part) => !knownParts.has(part))
  if (others.length > 0) warn(`The parts ${others.join(', ')} are unknown, and were left out.`)
  const store = objectAt(tree.store ?? {}, file, 'its store')
  return keysAsRead(store).map((key) => [
    key,
    messagesIn(store[key], (message) => warn(`"${key}" ${message}`)),
  ])
}

const knownParts = new Set(['store', 'class_name'])

function messagesIn(value: unknown, warn: ReadContext['warn']): SpelledTree[] {
  if (!Array.isArray(value)) {
    warn('has no list of messages; left out.')
    return []
  }
  const messages = (value as unknown[]).filter(isObject)
  if (messages.length < value.length)
    warn(`has ${value.length - messages.length} that are no messages; left out.`)
  return messages.map((message) => takeSpelling(message))
}

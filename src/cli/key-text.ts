/** Keys as a command line has them: an id as it is, a triplet or relation as JSON. */
import { fromText, toText, type HistoryKey } from '../history/history-key.ts'
import type { CommitLog } from '../journal/read-commit.ts'
import { plainText } from './plain-text.ts'

/** Only graphs have other keys than ids, whatever an id looks like. Throws `VARVE_BAD_OPTION` for JSON that is no key. */
export function toKey(argument: string, store = 'graph_store'): HistoryKey {
  const isGraph = /^(property_)?graph_store$/.test(store)
  if (!isGraph || !/^\[.*\]$|^\{.*\}$/s.test(argument)) return argument
  let parsed: HistoryKey
  try {
    parsed = JSON.parse(argument) as HistoryKey
  } catch {
    return argument // An id may begin with a bracket.
  }
  return fromText(toText(parsed))
}

export function keyText(key: HistoryKey): string {
  return plainText(typeof key === 'string' ? key : JSON.stringify(key))
}

export function nothingUnder(key: HistoryKey, store: string, { files }: CommitLog): string {
  const erasedBy = typeof key === 'string' ? files.erasures.commitOfId(key) : undefined
  if (erasedBy !== undefined) return `${keyText(key)} was erased by commit ${erasedBy}.`
  return `Nothing stands under ${keyText(key)} in ${plainText(store)}.`
}

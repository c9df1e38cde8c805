/**
 * Every error a user can meet: one class, a stable `code`, one function per code. The message is the fact, then the remedy.
 * `TypeError` is for the caller's own bugs only.
 */
import { inspect } from 'node:util'

export type VarveErrorCode = keyof typeof remedies

export class VarveError extends Error {
  override readonly name = 'VarveError'
  readonly code: VarveErrorCode
  /** What the message names, for programs: the store, the commit, the path … */
  readonly fields: Readonly<Record<string, unknown>>

  constructor(
    code: VarveErrorCode,
    fact: string,
    { remedy = remedies[code], cause, ...fields }: ErrorFields = {},
  ) {
    super(remedy ? `${fact} ${remedy}` : fact, cause === undefined ? undefined : { cause })
    this.code = code
    this.fields = fields
  }
}

export function contextClosed(): VarveError {
  return new VarveError('VARVE_CLOSED', 'This storage context is closed.')
}

const oneLine = { breakLength: Infinity, compact: true }

/** What was given and is not what it should be, as messages name it: of any kind, and never long. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : inspect(value, oneLine)
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}

export interface ErrorFields {
  /** Overrides the code's usual remedy. */
  remedy?: string
  cause?: unknown
  [field: string]: unknown
}

/** The usual remedy of each code. The README documents every one of them. */
const remedies = {
  VARVE_NOT_FOUND: 'Check the path, or write there first: the first persist() creates the directory.',
  VARVE_NOT_A_DIRECTORY: 'Give the path of a directory.',
  VARVE_NOT_STORAGE: 'Give an empty or new directory, or one that Varve or LlamaIndex wrote.',
  VARVE_PERMISSION: 'Give this user the right to it, or open elsewhere.',
  VARVE_NEWER: 'Update Varve; nothing was changed.',
  VARVE_CORRUPT: 'Nothing was changed. Keep a copy, then restore these files from a backup.',
  VARVE_ERASED: 'It was erased for good, on request; history goes on without it.',
  VARVE_LOCKED: 'Close it there, or open with { readOnly: true } or { follow: true }.',
  VARVE_DISPLACED: 'Close this context and open again; what it had not persisted is lost.',
  VARVE_NETWORK_FILE_SYSTEM:
    'Write on a local disk, or say { networkFileSystem: true } if no other machine writes there.',
  VARVE_DISK_FULL: 'The changes are still pending: free some space and call persist() again.',
  VARVE_IO: 'Nothing acknowledged was lost. Close, and open again.',
  VARVE_OUTCOME_UNKNOWN: 'Close, and open again: the history then tells whether the commit is there.',
  VARVE_CLOSED: 'Open a new one with StorageContext.fromDefaults().',
  VARVE_READ_ONLY: 'Open it without { readOnly: true } or { follow: true } to change it.',
  VARVE_MIXED_JOURNALS: 'Take all stores of a context from one directory.',
  VARVE_FOREIGN_STORE: 'Pass { ownStoresOnly: true } to leave that store out.',
  VARVE_IN_TRANSACTION: 'Let the transaction end: it commits by itself, and throwing rolls it back.',
  VARVE_ROLLED_BACK:
    'Do it again outside. In a transaction, wait for all that was begun before it ends: Promise.allSettled().',
  VARVE_EMPTY_REPLACE: 'Delete the directory first if that is what you want.',
  VARVE_BAD_OPTION: '',
  VARVE_BAD_MOMENT:
    'Name one by number, HEAD~2, tag, hash (at least 4 digits, enough to tell it apart) or date.',
  VARVE_NO_SUCH_MOMENT: 'history.log() lists the commits, history.tags() the tags.',
  VARVE_BAD_TAG: 'Choose another name.',
  VARVE_OTHER_HISTORY: 'Look at what stands there now, and go on from that: changes() without a token.',
  VARVE_REVERT_CONFLICT: 'Revert those first, or restore() a moment as a whole.',
  VARVE_BAD_ID: 'Ids are strings of 1 to 8,192 bytes.',
  VARVE_BAD_NAMESPACE: 'Namespaces are strings of 1 to 1,024 bytes.',
  VARVE_BAD_METADATA: 'Metadata is what JSON.stringify accepts and does not empty, and BigInt.',
  VARVE_BAD_VECTOR: 'A vector has at least one dimension, and finite numbers only.',
  VARVE_WRONG_DIMENSIONS: 'Put vectors of another model into a namespace of their own.',
  VARVE_TOO_LARGE: 'Split it.',
  VARVE_DUPLICATE_ID: 'Set allowUpdate to true to overwrite.',
  VARVE_NODE_NOT_FOUND: '',
  VARVE_REF_DOC_NOT_FOUND: '',
  VARVE_NAMESPACE_NOT_FOUND: 'Add one with addVectorStore(), or give it to fromDefaults().',
  VARVE_NO_INDEX: 'Check that this is the right directory, and that an index was built and persisted there.',
  VARVE_SEVERAL_INDICES: 'Pass the indexId of one of them.',
  VARVE_INDEX_NOT_FOUND: '',
  VARVE_UNKNOWN_INDEX_TYPE: 'It is kept as it is.',
  VARVE_NO_EMBED_MODEL: 'Pass { embedModel }.',
  VARVE_OTHER_EMBED_MODEL:
    'Pass that model, or { acceptEmbedModel: true } to go on with this one from now on.',
  VARVE_BAD_FILTER: '',
  VARVE_UNSUPPORTED_QUERY: '',
  VARVE_BAD_PROOF: 'Give all of it, as it was made.',
  VARVE_NOT_PROVEN: 'Trust nothing that it says.',
  VARVE_BAD_FILE: 'Nothing was changed. Restore that file, or remove it to open the rest.',
} as const satisfies Record<`VARVE_${string}`, string>

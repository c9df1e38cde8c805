/** What a caller says about a commit, as it will be stored: it is checked before anything is written. */
import type { CommitNote } from '../journal/commit.ts'
import { checkMetadata } from '../stores/metadata.ts'

/** Throws `VARVE_BAD_METADATA`, and `TypeError` for a message or an actor that is no string. */
export function checkNote({ message, actor, metadata }: CommitNote): CommitNote {
  for (const [name, value] of Object.entries({ message, actor }))
    if (value !== undefined && typeof value !== 'string')
      throw new TypeError(`The ${name} of a commit must be a string.`)
  return {
    ...(message !== undefined && { message }),
    ...(actor !== undefined && { actor }),
    ...(metadata !== undefined && { metadata: checkMetadata(metadata, "a commit's metadata") }),
  }
}

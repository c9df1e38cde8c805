/**
 * Sizes at which the journal changes what it does. They bear on no byte's meaning, so tests make them small.
 */
export interface Limits {
  /** Pending changes above this are written early, to segments of their own. */
  spillBytes: number
  /** An event above this is split into several frames. One item alone may be larger. */
  splitBytes: number
  /** A frame never crosses segments; one that would go beyond this starts a new one. */
  segmentBytes: number
  /** No snapshot is made for less than this many bytes of rows, but at close. */
  snapshotRowsBytes: number
  /** So many commits are read again at open before it is worth writing the catalog. */
  catalogCommits: number
}

const mebibyte = 1024 * 1024

export const defaultLimits: Limits = {
  spillBytes: 8 * mebibyte,
  splitBytes: 16 * mebibyte,
  segmentBytes: 256 * mebibyte,
  snapshotRowsBytes: mebibyte,
  catalogCommits: 256,
}

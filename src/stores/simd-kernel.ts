/**
 * The inner loop of search in WebAssembly: 16 numbers at a time, where JavaScript has one. What it computes stands in `simd-kernel.wat`; these are its
 * bytes. WebAssembly sees only a memory of its own, so the rows must lie there.
 */

export interface SimdMemory {
  readonly buffer: ArrayBuffer
  /** By pages of 64 KiB. Views of the old buffer are empty afterwards. */
  grow(pages: number): number
}

export interface SimdKernel {
  /** All but `count` are addresses, or, `stride`, bytes; see `simd-kernel.wat`. */
  dotProducts(
    query: number,
    block: number,
    stride: number,
    rows: number,
    count: number,
    products: number,
  ): void
}

/** As far as it is used here: TypeScript knows it only in browsers. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Memory: new (pages: { initial: number; maximum: number }) => SimdMemory
  Instance: new (module: object, imports: object) => { exports: unknown }
}

/** Exported for the test that compiles it anew. */
export const kernelBytes =
  'AGFzbQEAAAABCgFgBn9/f39/fwACEAEEcm93cwZtZW1vcnkCAAEDAgEABw8BC2RvdFByb2R1Y3RzAAAK+wIB+AICBX8EeyADIARBAnRqIQYgACACaiEHIAAgAkFAcWohCAJAA0AgAyAGTw0BIAAhCSABIAMoAgAgAmxqIQr9DAAAAAAAAAAAAAAAAAAAAAAhC/0MAAAAAAAAAAAAAAAAAAAAACEM/QwAAAAAAAAAAAAAAAAAAAAAIQ39DAAAAAAAAAAAAAAAAAAAAAAhDgJAA0AgCSAITw0BIAsgCf0ABAAgCv0ABAD95gH95AEhCyAMIAn9AAQQIAr9AAQQ/eYB/eQBIQwgDSAJ/QAEICAK/QAEIP3mAf3kASENIA4gCf0ABDAgCv0ABDD95gH95AEhDiAJQcAAaiEJIApBwABqIQoMAAsLAkADQCAJIAdPDQEgCyAJ/QAEACAK/QAEAP3mAf3kASELIAlBEGohCSAKQRBqIQoMAAsLIAsgDP3kASANIA795AH95AEhCyAFIAv9HwAgC/0fAZIgC/0fAiAL/R8DkpI4AgAgA0EEaiEDIAVBBGohBQwACwsL'

let compiled: object | undefined

/**
 * The kernel in a memory of so many pages of 64 KiB. `undefined` if none can be had: each takes gigabytes of addresses, though not of memory, and not
 * everyone allows WebAssembly.
 */
export function kernelIn(
  initial: number,
  maximum: number,
): { memory: SimdMemory; kernel: SimdKernel } | undefined {
  try {
    compiled ??= new WebAssembly.Module(Buffer.from(kernelBytes, 'base64'))
    const memory = new WebAssembly.Memory({ initial, maximum })
    const { exports } = new WebAssembly.Instance(compiled, { rows: { memory } })
    return { memory, kernel: exports as SimdKernel }
  } catch {
    return undefined // The same is computed without it.
  }
}

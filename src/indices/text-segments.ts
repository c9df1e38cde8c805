/** Segments of any text in time that grows with the text. */

/** From `start` up to, not including, `end`, in UTF-16 code units. */
export interface Segment {
  start: number
  end: number
}

// V8's segment iterator takes time that grows with the whole string at every step (measured on Node 20: 160 KB of text by graphemes, 41 s), so it only ever gets a
// window. What ends near a window's end may depend on what follows, and is left to the next window.
const windowLength = 512
const margin = 64

/** The segments of `text` from `start` to `end`, one after another without a gap. */
export function* segmentsOf(
  segmenter: Intl.Segmenter,
  text: string,
  { start, end }: Segment,
): Generator<Segment> {
  let from = start
  let length = windowLength
  while (from < end) {
    const to = Math.min(end, from + length)
    let accepted = from
    for (const { segment } of segmenter.segment(text.slice(from, to))) {
      const segmentEnd = accepted + segment.length
      if (to < end && segmentEnd > to - margin) break
      yield { start: accepted, end: segmentEnd }
      accepted = segmentEnd
    }
    // A segment longer than the window needs a larger one.
    length = accepted === from ? length * 2 : windowLength
    from = accepted
  }
}

/**
 * Keeps the best `k` of many scored places: a binary heap with the worst kept one on top. Of equal scores the lower place is better, and
 * places must be offered in ascending order.
 */
export class BestHits {
  readonly #capacity: number
  readonly #places: Int32Array
  readonly #scores: Float64Array
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#places = new Int32Array(capacity)
    this.#scores = new Float64Array(capacity)
  }

  /** Whether a hit would be among the best so far. */
  wants(score: number): boolean {
    return this.#size < this.#capacity || (this.#capacity > 0 && score > this.#scores[0]!)
  }

  offer(place: number, score: number): void {
    if (this.#size < this.#capacity) this.#rise(this.#size++, place, score)
    else if (this.#capacity > 0 && score > this.#scores[0]!) this.#sink(place, score)
  }

  /** Best first. */
  sorted(): { place: number; score: number }[] {
    return Array.from(this.#places.subarray(0, this.#size), (place, at) => ({
      place,
      score: this.#scores[at]!,
    })).sort((a, b) => b.score - a.score || a.place - b.place)
  }

  #rise(at: number, place: number, score: number): void {
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#isBetter(parent, place, score)) this.#move(parent, at)
      else break
      at = parent
    }
    this.#put(at, place, score)
  }

  /** Replaces the worst, which is on top. */
  #sink(place: number, score: number): void {
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#size) break
      if (child + 1 < this.#size && this.#isBetter(child, this.#places[child + 1]!, this.#scores[child + 1]!))
        child++
      if (this.#isBetter(child, place, score)) break
      this.#move(child, at)
      at = child
    }
    this.#put(at, place, score)
  }

  /** Whether what stands at `at` is better than the given hit. */
  #isBetter(at: number, place: number, score: number): boolean {
    const own = this.#scores[at]!
    return own > score || (own === score && this.#places[at]! < place)
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#places[from]!, this.#scores[from]!)
  }

  #put(at: number, place: number, score: number): void {
    this.#places[at] = place
    this.#scores[at] = score
  }
}

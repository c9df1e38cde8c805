import { describe, expect, test } from 'vitest'
import { encodeFrame, type EncodedFrame } from '../../src/log/frame.ts'
import { segmentHeaderBytes } from '../../src/log/segment.ts'
import { StoreLog } from '../../src/log/store-log.ts'
import { seededBytes } from '../support/seeded.ts'

const random = seededBytes(1)
const frame = (payloadBytes = 8): EncodedFrame =>
  encodeFrame({
    head: new Uint8Array(8),
    items: [{ row: new Uint8Array(8), payload: new Uint8Array(payloadBytes).fill(payloadBytes) }],
    syncedThrough: 0,
    random,
  })
const make = (more: object = {}): StoreLog =>
  new StoreLog('docstore', { highest: 0, segmentBytes: 1000, ...more })
const size = frame().sizeBytes

describe('a store log', () => {
  test('begins in a segment above all that were seen', () => {
    const { segment, offset } = make({ highest: 4 }).place(frame(), { spill: false })
    expect([segment, offset]).toEqual([5, segmentHeaderBytes])
  })

  test('goes on where a segment ends', () => {
    const { segment, offset } = make({ segment: 2, end: 320, highest: 4 }).place(frame(), { spill: false })
    expect([segment, offset]).toEqual([2, 320])
  })

  test('never lets a frame cross segments, however large it is', () => {
    const log = make()
    const places = [8, 600, 600, 3000, 8].map((bytes) => log.place(frame(bytes), { spill: false }).segment)
    expect(places).toEqual([1, 1, 2, 3, 4])
  })

  test('names what a commit takes, a part for each segment', () => {
    const log = make()
    for (const bytes of [8, 8, 900]) log.place(frame(bytes), { spill: false })
    const { parts } = log.takeParts()
    expect(parts.map(({ segment, from, frames }) => [segment, from, frames])).toEqual([
      [1, segmentHeaderBytes, 2],
      [2, segmentHeaderBytes, 1],
    ])
    expect(log.pending).toBe(false)
  })

  test('takes what stands before a mark by itself, and the rest later', () => {
    const log = make()
    log.place(frame(), { spill: false })
    const mark = log.mark({ split: true })
    log.place(frame(), { spill: false })
    const before = log.takeParts(mark)
    const after = log.takeParts()
    expect([before.parts[0]!.to, before.frames.length]).toEqual([segmentHeaderBytes + size, 1])
    expect([after.parts[0]!.from, after.frames.length]).toEqual([segmentHeaderBytes + size, 1])
  })

  test('has the last frames written early, and forgets those that were, whatever came meanwhile', () => {
    const log = make({ segmentBytes: 100_000 })
    const kept = log.place(frame(16), { spill: false })
    const early = [log.place(frame(24), { spill: true }), log.place(frame(32), { spill: true })]
    const spilled = log.spillable()
    expect(spilled).toEqual(early)
    const late = log.place(frame(40), { spill: true })
    log.written(spilled)
    expect(log.spillable()).toEqual([late])
    expect(
      log.payload(early[0]!.segment, early[0]!.offset + early[0]!.frame.payloads[0]!.offset),
    ).toBeUndefined()
    const { frames, parts } = log.takeParts()
    expect(frames).toEqual([kept, late])
    expect(parts.map(({ segment, frames: count }) => [segment, count])).toEqual([
      [1, 1],
      [2, 3],
    ])
    expect(log.payload(kept.segment, kept.offset + kept.frame.payloads[0]!.offset)).toBeDefined()
    log.written(frames)
    expect(log.payload(kept.segment, kept.offset + kept.frame.payloads[0]!.offset)).toBeUndefined()
  })

  test('forgets what was written also where a rollback took some of it', () => {
    const log = make({ segmentBytes: 100_000 })
    log.place(frame(24), { spill: true })
    const mark = log.mark()
    log.place(frame(32), { spill: true })
    const spilled = log.spillable()
    log.rollback(mark)
    const late = log.place(frame(40), { spill: true })
    log.written(spilled)
    expect(log.takeParts().frames).toEqual([late])
  })

  test('keeps frames that never reached a file in memory, and writes neighbours as one', () => {
    const log = make()
    const places = [log.place(frame(16), { spill: false }), log.place(frame(24), { spill: false })]
    const taken = log.takeParts()
    for (const { segment, offset, frame: placed } of places)
      expect(log.payload(segment, offset + placed.payloads[0]!.offset)).toEqual(placed.payloads[0]!.bytes)
    expect(log.writes(taken.frames)).toMatchObject([
      { folder: 'docstore', segment: 1, offset: segmentHeaderBytes },
    ])
    log.written(taken.frames)
    expect(log.payload(1, places[0]!.offset + places[0]!.frame.payloads[0]!.offset)).toBeUndefined()
  })

  test('gives no byte away twice after a rollback', () => {
    const log = make()
    const mark = log.mark()
    const first = log.place(frame(), { spill: false })
    log.rollback(mark)
    expect(log.place(frame(), { spill: false })).toMatchObject({
      segment: first.segment,
      offset: first.offset,
    })
    log.writes(log.takeParts().frames)
    const second = log.mark()
    const third = log.place(frame(), { spill: false })
    log.writes([third])
    log.rollback(second)
    expect(log.place(frame(), { spill: false }).segment).toBeGreaterThan(third.segment)
  })

  test('spills into segments of their own, which a rollback gives up', () => {
    const log = make()
    log.place(frame(), { spill: false })
    const spilled = log.place(frame(), { spill: true })
    expect(spilled.segment).toBe(2)
    expect(log.spillable()).toEqual([spilled])
    expect(log.rollback(undefined)).toEqual([2])
    expect(log.place(frame(), { spill: true }).segment).toBe(3)
  })

  test('takes parts back before those of later changes', () => {
    const log = make()
    const first = log.place(frame(), { spill: false })
    const taken = log.takeParts()
    const second = log.place(frame(), { spill: false })
    log.reopen(taken)
    const again = log.takeParts()
    expect(again.frames).toEqual([first, second])
    expect(again.parts.map(({ from, to }) => [from, to])).toEqual([
      [first.offset, second.offset],
      [second.offset, second.offset + size],
    ])
  })

  test('returns to a mark with what came back since', () => {
    const log = make()
    log.place(frame(), { spill: false })
    const taken = log.takeParts()
    const mark = log.mark()
    log.place(frame(), { spill: false })
    log.reopen(taken)
    log.rollback(log.reopenMark(mark, taken))
    expect(log.takeParts().parts).toEqual(taken.parts)
  })
})

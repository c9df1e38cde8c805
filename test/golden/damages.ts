/** Every way a golden directory is hurt: which files become what. It does not know what must come of it. */
import { padded } from '../../src/log/frame.ts'
import { seededRandom, seedOf } from '../support/seeded.ts'
import type { Golden } from './golden.ts'
import type { Files } from './stage.ts'

export type Kind =
  | 'bit flipped'
  | 'cut'
  | 'deleted'
  | 'doubled'
  | 'lengthened'
  | 'swapped'
  | 'of another journal'
  | 'older'
  | 'zeroed'

export interface Damage {
  kind: Kind
  /** What it hit, for people. */
  place: string
  /** From path to new bytes, or `undefined`: gone. */
  changes: [path: string, bytes: Uint8Array | undefined][]
}

export interface DamageOptions {
  seed: number
  /** Every bit; else one of each byte, chosen by the seed. */
  all: boolean
}

export function* damages(
  golden: Golden,
  others: readonly Golden[],
  options: DamageOptions,
): Generator<Damage> {
  for (const [path, bytes] of golden.files) {
    yield* flips(golden, path, bytes, options)
    for (let length = 0; length < bytes.length; length++)
      yield { kind: 'cut', place: `${path} to ${length}`, changes: [[path, bytes.subarray(0, length)]] }
    yield { kind: 'deleted', place: path, changes: [[path, undefined]] }
    yield { kind: 'doubled', place: path, changes: [[path, Buffer.concat([bytes, bytes])]] }
    yield* lengthenings(path, bytes)
    yield* zeroings(path, bytes)
    yield* swaps(golden, path, bytes)
    yield* foreigners(path, bytes, others)
  }
  yield* olderSelves(golden)
}

function* flips(
  golden: Golden,
  path: string,
  bytes: Uint8Array,
  { seed, all }: DamageOptions,
): Generator<Damage> {
  const random = seededRandom(seedOf(seed, golden.name, path))
  for (let offset = 0; offset < bytes.length; offset++) {
    const chosen = Math.floor(random() * 8)
    for (const bit of all ? [0, 1, 2, 3, 4, 5, 6, 7] : [chosen]) {
      const flipped = Buffer.from(bytes)
      flipped[offset]! ^= 1 << bit
      yield { kind: 'bit flipped', place: `${path} at ${offset}, bit ${bit}`, changes: [[path, flipped]] }
    }
  }
}

function* lengthenings(path: string, bytes: Uint8Array): Generator<Damage> {
  for (const [what, more] of [
    ['a byte', Buffer.from([0xff])],
    ['zeros', Buffer.alloc(4096)],
    ['its beginning', Buffer.from(bytes.subarray(0, 40))],
    [
      'aligned',
      Buffer.concat([Buffer.alloc(padded(bytes.length) - bytes.length), Buffer.from(bytes.subarray(64))]),
    ],
  ] as const)
    yield { kind: 'lengthened', place: `${path} by ${what}`, changes: [[path, Buffer.concat([bytes, more])]] }
}

/** Blocks of 4 KiB, and, these files being small, of 512 bytes and of 64. */
function* zeroings(path: string, bytes: Uint8Array): Generator<Damage> {
  for (const block of [4096, 512, 64]) {
    for (let offset = 0; offset < bytes.length; offset += block) {
      const zeroed = Buffer.from(bytes).fill(0, offset, Math.min(offset + block, bytes.length))
      yield { kind: 'zeroed', place: `${path} from ${offset}, ${block} bytes`, changes: [[path, zeroed]] }
    }
  }
}

function* swaps({ files }: Golden, path: string, bytes: Uint8Array): Generator<Damage> {
  for (const [other, otherBytes] of files) {
    if (other === path) continue
    yield { kind: 'swapped', place: `${path} is ${other}`, changes: [[path, otherBytes]] }
    if (other > path)
      yield {
        kind: 'swapped',
        place: `${path} with ${other}`,
        changes: [
          [path, otherBytes],
          [other, bytes],
        ],
      }
  }
}

function* foreigners(path: string, bytes: Uint8Array, others: readonly Golden[]): Generator<Damage> {
  const folder = (of: string): string => of.slice(0, of.lastIndexOf('/') + 1)
  for (const { name, files } of others) {
    for (const [other, otherBytes] of files) {
      if (folder(other) !== folder(path) || Buffer.from(otherBytes).equals(bytes)) continue
      if (folder(path) === '' && other !== path) continue
      yield {
        kind: 'of another journal',
        place: `${path} is ${name}'s ${other}`,
        changes: [[path, otherBytes]],
      }
    }
  }
}

/** One file, one folder, or all but one folder, as they were at an earlier moment. */
function* olderSelves({ files, moments }: Golden): Generator<Damage> {
  const paths = new Set([...files.keys(), ...moments.flatMap((moment) => [...moment.keys()])])
  const tops = new Set(Array.from(paths, (path) => path.split('/')[0]!))
  for (const [index, moment] of moments.entries()) {
    const changed = [...paths].filter((path) => !isSame(moment.get(path), files.get(path)))
    const older = (place: string, chosen: string[]): Damage => ({
      kind: 'older',
      place: `${place} as of moment ${index}`,
      changes: chosen.map((path) => [path, moment.get(path)]),
    })
    for (const path of changed) yield older(path, [path])
    for (const top of tops) {
      const within = changed.filter((path) => path.split('/')[0] === top)
      if (within.length > 1) yield older(`${top}/`, within)
      if (within.length > 0 && within.length < changed.length)
        yield older(
          `all but ${top}`,
          changed.filter((path) => !within.includes(path)),
        )
    }
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.from(a).equals(b)
}

export function damaged(files: Files, { changes }: Damage): Files {
  const after = new Map(files)
  for (const [path, bytes] of changes) {
    if (bytes) after.set(path, bytes)
    else after.delete(path)
  }
  return after
}

/** The vectors: checkpoints of sum.golang.org (c2sp.org/tlog-checkpoint, and log_test.go of github.com/transparency-dev/formats), with the key that Go has built in. */
import { describe, expect, test } from 'vitest'
import { verifyCheckpoint, verifyConsistency, verifyInclusion } from 'varve'
import { readCheckpoint, signCheckpoint } from '../../src/history/checkpoint.ts'
import { formatConsistencyProof } from '../../src/history/consistency-proof.ts'
import { formatInclusionProof } from '../../src/history/inclusion-proof.ts'
import { consistencyPath, inclusionPath, merkleRoot } from '../../src/history/merkle-tree.ts'
import { formatVerifierKey, newSignerKey } from '../../src/history/note-key.ts'
import { signNote } from '../../src/history/signed-note.ts'
import { seededBytes } from '../support/seeded.ts'

const goKey = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'
const goRoot = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='
const goCheckpoint = `go.sum database tree
20852163
${goRoot}

— sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`
const olderCheckpoint = `go.sum database tree
6476701
mb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=

— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=
`

const signer = newSignerKey('example.com/storage', seededBytes(1))
const vkey = formatVerifierKey(signer)
const otherSigner = newSignerKey('example.com/storage', seededBytes(2))
const hashes = Array.from({ length: 13 }, (_, index) => new Uint8Array(32).fill(index + 1))
const hexOf = (number: number): string => Buffer.from(hashes[number - 1]!).toString('hex')

function checkpointOf(size: number, { origin = 'varve/one', key = signer } = {}): string {
  return signCheckpoint({ origin, size, root: merkleRoot(hashes, size) }, key)
}

function inclusionOf(number: number, size = hashes.length): string {
  return formatInclusionProof(number, inclusionPath(hashes, number - 1, size), checkpointOf(size))
}

function consistencyOf(old: number, size = hashes.length): string {
  return formatConsistencyProof(old, consistencyPath(hashes, old, size), checkpointOf(size))
}

const failsWith = (code: string): Error => expect.objectContaining({ code }) as Error

describe('a checkpoint', () => {
  test('of a public log is read', () => {
    expect(verifyCheckpoint(goCheckpoint, { vkey: goKey, origin: 'go.sum database tree' })).toEqual({
      origin: 'go.sum database tree',
      size: 20852163,
      root: Buffer.from(goRoot, 'base64'),
    })
    expect(verifyCheckpoint(olderCheckpoint, { vkey: goKey }).size).toBe(6476701)
  })

  test('says what was signed', () => {
    const root = merkleRoot(hashes)
    expect(verifyCheckpoint(checkpointOf(13), { vkey })).toEqual({ origin: 'varve/one', size: 13, root })
  })

  test('may say more, which means nothing', () => {
    const signed = signNote(`o\n1\n${goRoot}\nmore\n`, signer)
    expect(verifyCheckpoint(signed, { vkey })).toMatchObject({ origin: 'o', size: 1 })
  })

  test('about something else is refused where that is asked for', () => {
    expect(() => verifyCheckpoint(checkpointOf(3), { vkey, origin: 'varve/two' })).toThrow(
      'It is about varve/one, not about varve/two. Give the checkpoint of this journal.',
    )
  })

  test('that another key of the same name signed proves nothing', () => {
    expect(() => verifyCheckpoint(checkpointOf(3, { key: otherSigner }), { vkey })).toThrow(
      failsWith('VARVE_NOT_PROVEN'),
    )
    expect(() => verifyCheckpoint(checkpointOf(3), { vkey: 'no key' })).toThrow(failsWith('VARVE_BAD_OPTION'))
  })

  test.each([
    ['no origin', `\n1\n${goRoot}\n`],
    ['a size that is no number', `o\none\n${goRoot}\n`],
    ['a negative size', `o\n-1\n${goRoot}\n`],
    ['a size with a zero before it', `o\n01\n${goRoot}\n`],
    ['a size beyond all counting', `o\n${2 ** 60}\n${goRoot}\n`],
    ['no root', 'o\n1\n'],
    ['a root that is too short', 'o\n1\nAAAA\n'],
    ['a root that is no base64', `o\n1\n${goRoot.replace('=', '!')}\n`],
    ['an empty line behind it', `o\n1\n${goRoot}\n\n`],
  ])('with %s is none', (_, text) => {
    const signed = signNote(text, signer)
    expect(() => readCheckpoint(signed)).toThrow(failsWith('VARVE_BAD_PROOF'))
    expect(() => verifyCheckpoint(signed, { vkey })).toThrow(failsWith('VARVE_BAD_PROOF'))
  })
})

describe('a proof that a commit is there', () => {
  test('is of the public form', () => {
    const [first, index, ...more] = inclusionOf(8, 8).split('\n')
    expect([first, index]).toEqual(['c2sp.org/tlog-proof@v1', 'index 7'])
    expect(more.slice(0, 3).every((line) => /^[A-Za-z0-9+/]{43}=$/.test(line))).toBe(true)
    expect(more.slice(3).join('\n')).toBe(`\n${checkpointOf(8)}`)
  })

  test('holds for its commit, and for no other', () => {
    for (let number = 1; number <= hashes.length; number++) {
      const proof = inclusionOf(number)
      expect(verifyInclusion(proof, { hash: hexOf(number), vkey })).toMatchObject({
        number,
        checkpoint: { size: 13 },
      })
      for (const hash of [hexOf((number % 13) + 1), '', 'no hash'])
        expect(() => verifyInclusion(proof, { hash, vkey })).toThrow(failsWith('VARVE_NOT_PROVEN'))
    }
  })

  test('may carry extra data, which means nothing', () => {
    const proof = inclusionOf(3).replace('index', 'extra AAAA\nindex')
    expect(verifyInclusion(proof, { hash: hexOf(3), vkey }).number).toBe(3)
  })

  test('is worth what its checkpoint is worth', () => {
    const proof = inclusionOf(3).replace('varve/one', 'varve/two')
    expect(() => verifyInclusion(proof, { hash: hexOf(3), vkey })).toThrow('does not fit it')
    const options = { hash: hexOf(3), vkey, origin: 'varve/two' }
    expect(() => verifyInclusion(inclusionOf(3), options)).toThrow('not about varve/two')
  })

  test.each([
    ['another index', (proof: string) => proof.replace('index 2', 'index 3'), 'VARVE_NOT_PROVEN'],
    ['an index beyond the end', (proof: string) => proof.replace('index 2', 'index 13'), 'VARVE_NOT_PROVEN'],
    ['another first line', (proof: string) => proof.replace('@v1', '@v2'), 'VARVE_BAD_PROOF'],
    ['no index', (proof: string) => proof.replace('index 2\n', ''), 'VARVE_BAD_PROOF'],
    ['two indices', (proof: string) => proof.replace('index', 'index 1\nindex'), 'VARVE_BAD_PROOF'],
    ['an index with a zero before it', (proof: string) => proof.replace('2', '02'), 'VARVE_BAD_PROOF'],
    [
      'a hash that is none',
      (proof: string) => proof.replace('index 2\n', 'index 2\nAAAA\n'),
      'VARVE_BAD_PROOF',
    ],
    [
      'hashes without end',
      (proof: string) => proof.replace('index 2\n', `index 2\n${`${goRoot}\n`.repeat(200)}`),
      'VARVE_BAD_PROOF',
    ],
    ['no checkpoint', (proof: string) => proof.slice(0, proof.indexOf('\n\n')), 'VARVE_BAD_PROOF'],
    ['nothing', () => '', 'VARVE_BAD_PROOF'],
  ])('with %s is refused', (_, bend, code) => {
    expect(() => verifyInclusion(bend(inclusionOf(3)), { hash: hexOf(3), vkey })).toThrow(failsWith(code))
  })
})

describe('a proof that history went on', () => {
  test('is of the form that witnesses take', () => {
    expect(consistencyOf(12, 13)).toMatch(/^old 12\n([A-Za-z0-9+/]{43}=\n)+\nvarve\/one\n13\n/)
  })

  test('holds between any two checkpoints in their order', () => {
    for (let old = 1; old <= 13; old++) {
      for (let size = old; size <= 13; size++) {
        const proven = verifyConsistency(checkpointOf(old), consistencyOf(old, size), { vkey })
        expect([proven.old.size, proven.new.size]).toEqual([old, size])
      }
    }
  })

  test('holds for no other old checkpoint', () => {
    const rewritten = [...hashes]
    rewritten[4] = new Uint8Array(32)
    const old = signCheckpoint({ origin: 'varve/one', size: 9, root: merkleRoot(rewritten, 9) }, signer)
    expect(() => verifyConsistency(old, consistencyOf(9), { vkey })).toThrow(
      'It does not prove that the first 9 commits are still what they were.',
    )
    expect(() => verifyConsistency(checkpointOf(8), consistencyOf(9), { vkey })).toThrow(
      failsWith('VARVE_NOT_PROVEN'),
    )
  })

  test('is none where commits are missing', () => {
    const proof = formatConsistencyProof(9, [], checkpointOf(7))
    expect(() => verifyConsistency(checkpointOf(9), proof, { vkey })).toThrow(
      'It has 7 commits, where there were 9 before.',
    )
  })

  test('is none between two journals, nor between two keys', () => {
    const other = checkpointOf(5, { origin: 'varve/two' })
    expect(() => verifyConsistency(other, consistencyOf(5), { vkey })).toThrow('not about varve/two')
    const strange = checkpointOf(5, { key: otherSigner })
    expect(() => verifyConsistency(strange, consistencyOf(5), { vkey })).toThrow(
      failsWith('VARVE_NOT_PROVEN'),
    )
  })

  test.each([
    ['no old size', (proof: string) => proof.replace('old 5\n', '')],
    ['two old sizes', (proof: string) => proof.replace('old 5\n', 'old 5\nold 5\n')],
    ['an old size that is no number', (proof: string) => proof.replace('old 5', 'old five')],
    ['nothing', () => ''],
  ])('with %s is none', (_, bend) => {
    expect(() => verifyConsistency(checkpointOf(5), bend(consistencyOf(5)), { vkey })).toThrow(
      failsWith('VARVE_BAD_PROOF'),
    )
  })
})

/** The vectors are those of golang.org/x/mod/sumdb/note (example_test.go, note_test.go). */
import { createPublicKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  formatSignerKey,
  formatVerifierKey,
  newSignerKey,
  parseSignerKey,
  parseVerifierKey,
} from '../../src/history/note-key.ts'
import { signNote, verifyNote } from '../../src/history/signed-note.ts'
import { seededBytes } from '../support/seeded.ts'

const skey = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz'
const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const text =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const peter =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
const enoch =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n'
const note = `${text}\n${peter}`

describe('a key', () => {
  test('is read and written as Go does', () => {
    expect(formatVerifierKey(parseVerifierKey(vkey))).toBe(vkey)
    expect(formatSignerKey(parseSignerKey(skey))).toBe(skey)
    expect(formatVerifierKey(parseSignerKey(skey))).toBe(vkey)
  })

  test('is an ordinary key to node:crypto', () => {
    const { key } = parseSignerKey(skey)
    expect(key.asymmetricKeyType).toBe('ed25519')
    expect(createPublicKey(key).equals(parseVerifierKey(vkey).key)).toBe(true)
  })

  test('is made of random bytes alone', () => {
    const made = newSignerKey('EnochRoot', (target) => void target.fill(0))
    expect(verifyNote(`${text}\n${enoch}`, parseVerifierKey(formatVerifierKey(made)))).toBe(text)
    expect(formatSignerKey(newSignerKey('a', seededBytes(1)))).not.toBe(
      formatSignerKey(newSignerKey('a', seededBytes(2))),
    )
  })

  test.each(['', 'two words', 'a+b', 'a\nb', 'no\u00a0break', '\ud800'])('cannot be called %j', (name) => {
    expect(() => newSignerKey(name, () => {})).toThrow(
      expect.objectContaining({ code: 'VARVE_BAD_OPTION' }) as Error,
    )
  })

  test.each([
    ['verifier', vkey, parseVerifierKey],
    ['signer', skey, parseSignerKey],
  ])('to be a %s must be whole, and is never quoted', (_, key, parse) => {
    for (let from = 0; from <= key.length; from++) {
      for (let to = from + 1; to <= key.length; to++) {
        if (from > 0 || to < key.length) expect(() => parse(key.slice(from, to))).toThrow('Give it whole')
      }
    }
    for (let at = 0; at < key.length; at++) {
      const changed = String.fromCharCode(key.charCodeAt(at) + 1)
      expect(() => parse(key.slice(0, at) + changed + key.slice(at + 1))).toThrow('Give it whole')
    }
    const secret = key.slice(-20)
    expect(() => parse(key.slice(1))).not.toThrow(secret)
  })

  test.each([
    ['too long', 'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=='],
    ['of another kind', 'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'],
  ])('that is %s is refused though its id fits', (_, key) => {
    expect(() => parseVerifierKey(key)).toThrow(
      expect.objectContaining({ code: 'VARVE_BAD_OPTION' }) as Error,
    )
  })
})

describe('a note', () => {
  test('is signed as Go signs it', () => {
    expect(signNote(text, parseSignerKey(skey))).toBe(note)
  })

  test.each([
    ['one signature', note],
    ['a signature of an unknown key before it', `${text}\n${enoch}${peter}`],
    ['a signature of an unknown key behind it', `${text}\n${peter}${enoch}`],
    ['one of a key with its name and another id', `${text}\n${peter.replace('x08g', 'AAAA')}${peter}`],
  ])('verifies with %s', (_, signed) => {
    expect(verifyNote(signed, parseVerifierKey(vkey))).toBe(text)
  })

  test('may hold empty lines', () => {
    const signed = signNote('first\n\nsecond\n', parseSignerKey(skey))
    expect(verifyNote(signed, parseVerifierKey(vkey))).toBe('first\n\nsecond\n')
  })

  test('does not verify with any letter of its text changed, nor with any byte of its signature', () => {
    const verifier = parseVerifierKey(vkey)
    for (let at = 0; at < text.length - 1; at++) {
      const changed = `${note.slice(0, at)}~${note.slice(at + 1)}`
      expect(() => verifyNote(changed, verifier)).toThrow('does not fit it')
    }
    const signature = Buffer.from(peter.split(' ')[2]!, 'base64')
    for (let at = 4; at < signature.length; at++) {
      const bent = Buffer.from(signature)
      bent[at]! ^= 1
      const changed = `${text}\n— PeterNeumann ${bent.toString('base64')}\n`
      expect(() => verifyNote(changed, verifier)).toThrow('does not fit it')
    }
  })

  test('does not verify if any signature of the key does not, or there is none of it', () => {
    const verifier = parseVerifierKey(vkey)
    const bad = peter.replace('ZJku', 'ZJkv')
    for (const signed of [`${text}\n${peter}${bad}`, `${text}\n${bad}${peter}`])
      expect(() => verifyNote(signed, verifier)).toThrow(
        'The signature of the key PeterNeumann does not fit it.',
      )
    expect(() => verifyNote(`${text}\n${enoch}`, verifier)).toThrow(
      'It is not signed by the key PeterNeumann.',
    )
  })

  test.each([
    ['nothing', ''],
    ['no signature', text],
    ['no empty line', `${text}${peter}`],
    ['no end of its last line', note.slice(0, -1)],
    ['no line for a signature', `${text}\n`],
    ['a hyphen for the dash', note.replace('—', '-')],
    ['a signature too short', `${text}\n— PeterNeumann x08g\n`],
    ['base64 with a space in it', note.replace('x08g', 'x0 8g')],
    ['base64 that is not of the standard kind', note.replace('AM=\n', 'AM\n')],
    ['a control character', note.replace('think', 'th\u0007ink')],
    ['a carriage return', note.replaceAll('\n', '\r\n')],
    ['what is no text', note.replace('think', '\ud800')],
    ['too many signatures', `${text}\n${peter.repeat(101)}`],
    ['too many bytes', `${'a'.repeat(1_000_000)}${note}`],
  ])('with %s is none', (_, signed) => {
    expect(() => verifyNote(signed, parseVerifierKey(vkey))).toThrow(
      expect.objectContaining({ code: 'VARVE_BAD_PROOF' }) as Error,
    )
  })
})

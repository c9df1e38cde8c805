/**
 * The keys of signed notes (c2sp.org/signed-note): Ed25519, with a name. Their text is what existing tools take: a verifier key to give away, a signer
 * key to keep. No message ever quotes a key.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { shown, VarveError } from '../errors.ts'

export interface NoteKey {
  /** Without spaces and plus signs, best a URL without its scheme: `example.com/storage`. */
  name: string
  key: KeyObject
}

const ed25519 = 1
const keyBytes = 32
/** What stands before a seed in PKCS #8 (RFC 8410). */
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex')
const signerPrefix = 'PRIVATE+KEY+'

export function newSignerKey(name: string, random: (target: Uint8Array) => void): NoteKey {
  if (!isKeyName(name))
    throw new VarveError('VARVE_BAD_OPTION', `A key cannot be called ${shown(name)}.`, {
      remedy: 'Give a name without spaces and plus signs, such as example.com/storage.',
      name,
    })
  const seed = new Uint8Array(keyBytes)
  random(seed)
  return { name, key: privateKey(seed) }
}

/** `NAME+ID+KEY`, also called vkey. */
export function formatVerifierKey(key: NoteKey): string {
  const encoded = Buffer.concat([Uint8Array.of(ed25519), publicBytes(key)])
  return `${key.name}+${keyId(key).toString('hex')}+${encoded.toString('base64')}`
}

/** `PRIVATE+KEY+NAME+ID+KEY`, also called skey: whoever has it can sign. */
export function formatSignerKey(key: NoteKey): string {
  const seed = key.key.export({ format: 'der', type: 'pkcs8' }).subarray(privatePrefix.length)
  const encoded = Buffer.concat([Uint8Array.of(ed25519), seed]).toString('base64')
  return `${signerPrefix}${key.name}+${keyId(key).toString('hex')}+${encoded}`
}

export function parseVerifierKey(text: string): NoteKey {
  const key = parseKey(text, publicKey)
  if (key) return key
  throw new VarveError('VARVE_BAD_OPTION', 'This is not the verifier key of a signed note.', {
    remedy: 'Give it whole, as it was printed when the key was made: NAME+ID+KEY.',
  })
}

export function parseSignerKey(text: string): NoteKey {
  const key = text.startsWith(signerPrefix) && parseKey(text.slice(signerPrefix.length), privateKey)
  if (key) return key
  throw new VarveError('VARVE_BAD_OPTION', 'This is not the signer key of a signed note.', {
    remedy: 'Give it whole, as it was made: PRIVATE+KEY+NAME+ID+KEY.',
  })
}

/** The four bytes that name a key beside its name. */
export function keyId(key: NoteKey): Buffer {
  const hash = createHash('sha256').update(key.name).update('\n')
  return hash.update(Uint8Array.of(ed25519)).update(publicBytes(key)).digest().subarray(0, 4)
}

export function isKeyName(name: string): boolean {
  return /^[^\s\u0085+\p{Cc}\p{Cs}]+$/u.test(name)
}

/** Standard base64, and nothing that merely decodes; `undefined` otherwise. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

function parseKey(text: string, toKey: (bytes: Uint8Array) => KeyObject): NoteKey | undefined {
  const [, name = '', id, encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? []
  const bytes = decodeBase64(encoded)
  if (!isKeyName(name) || bytes?.length !== 1 + keyBytes || bytes[0] !== ed25519) return undefined
  const key = { name, key: toKey(bytes.subarray(1)) }
  return keyId(key).toString('hex') === id ? key : undefined
}

function privateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' })
}

function publicKey(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([publicPrefix, bytes]), format: 'der', type: 'spki' })
}

function publicBytes({ key }: NoteKey): Buffer {
  const shown = key.type === 'private' ? createPublicKey(key) : key
  return shown.export({ format: 'der', type: 'spki' }).subarray(publicPrefix.length)
}

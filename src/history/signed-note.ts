/** Signed notes (c2sp.org/signed-note): text under which stand the signatures of any number of keys. What the text says is not known here. */
import { sign, verify } from 'node:crypto'
import { VarveError } from '../errors.ts'
import { decodeBase64, isKeyName, keyId, type NoteKey } from './note-key.ts'

const mostSignatures = 100
const mostBytes = 1_000_000

export interface SignedNote {
  /** With the line's end at its end. */
  text: string
  signatures: NoteSignature[]
}

interface NoteSignature {
  name: string
  id: Buffer
  bytes: Buffer
}

export function signNote(text: string, signer: NoteKey): string {
  const signature = Buffer.concat([keyId(signer), sign(null, Buffer.from(text), signer.key)])
  return `${text}\n— ${signer.name} ${signature.toString('base64')}\n`
}

/** Believes nothing: no signature is looked at. Throws `VARVE_BAD_PROOF`. */
export function parseNote(signed: string): SignedNote {
  const end = signed.lastIndexOf('\n\n')
  // oxlint-disable-next-line no-control-regex -- they are what a note may not hold
  const isText = !/[\u0000-\u0009\u000b-\u001f]|\p{Cs}/u.test(signed) && signed.length <= mostBytes
  const lines = signed.slice(end + 2).split('\n')
  const isEnded = lines.pop() === ''
  if (end < 0 || !isText || !isEnded || lines.length === 0 || lines.length > mostSignatures) throw notSigned()
  return { text: signed.slice(0, end + 1), signatures: lines.map(parseSignature) }
}

/** Answers the text. Signatures of other keys are passed over. Throws `VARVE_BAD_PROOF`, `VARVE_NOT_PROVEN`. */
export function verifyNote(signed: string, verifier: NoteKey): string {
  const { text, signatures } = parseNote(signed)
  const id = keyId(verifier)
  const own = signatures.filter((signature) => signature.name === verifier.name && signature.id.equals(id))
  if (own.length === 0) throw notProven(`It is not signed by the key ${verifier.name}.`)
  const isGood = own.every(({ bytes }) => verify(null, Buffer.from(text), verifier.key, bytes))
  if (!isGood) throw notProven(`The signature of the key ${verifier.name} does not fit it.`)
  return text
}

function parseSignature(line: string): NoteSignature {
  const [, name = '', encoded = ''] = /^— (\S+) (\S+)$/.exec(line) ?? []
  const bytes = decodeBase64(encoded)
  if (!isKeyName(name) || !bytes || bytes.length < 5) throw notSigned()
  return { name, id: bytes.subarray(0, 4), bytes: bytes.subarray(4) }
}

function notSigned(): VarveError {
  return new VarveError('VARVE_BAD_PROOF', 'This is not a signed note: text, an empty line, signatures.')
}

function notProven(fact: string): VarveError {
  return new VarveError('VARVE_NOT_PROVEN', fact, {
    remedy: 'Trust nothing it says, or give the key that signed it.',
  })
}

import { cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Document, StorageContext, verifyCheckpoint, verifyConsistency, verifyInclusion } from 'varve'
import { BuiltCommand } from './built-command.ts'

let varve: BuiltCommand
let vkey: string
/** Of the commits of `storage`, the first first. */
const hashes: string[] = []

const vkeyOfGo = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'

const at = (name: string): string => join(varve.directory, name)

async function persist(path: string, ...ids: string[]): Promise<void> {
  const storage = await StorageContext.fromDefaults({ persistDir: at(path) })
  for (const id of ids) {
    await storage.docstore.addDocuments([new Document({ id_: id, text: id })])
    await storage.persist({ message: id })
  }
  await storage.close()
}

beforeAll(async () => {
  varve = new BuiltCommand()
  await persist('storage', 'a', 'b', 'c')
  vkey = (await varve.run(['checkpoint', '--new-key', 'example.com/storage', '--key', 'key'])).stdout
    .trim()
    .split('\n')
    .at(-1)!
  const made = await varve.run(['checkpoint', 'storage', '--key', 'key', '--out', 'three.txt'])
  expect(made).toMatchObject({ code: 0, stderr: '' })
  await persist('storage', 'd', 'e')
  await varve.run(['checkpoint', 'storage', '--key', 'key', '--out', 'five.txt'])
  const { stdout } = await varve.run(['log', 'storage', '--json'])
  const lines = stdout.trimEnd().split('\n').toReversed()
  hashes.push(...lines.map((line) => (JSON.parse(line) as { hash: string }).hash))
  await persist('rewritten', 'x', 'y', 'z', 'and more')
  cpSync(at('rewritten'), at('short'), { recursive: true })
}, 120_000)

afterAll(() => varve.remove())

describe('varve checkpoint', () => {
  test('--new-key makes a key for nobody else, and prints the one to give away', async () => {
    expect(vkey).toMatch(/^example\.com\/storage\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/)
    const text = readFileSync(at('key'), 'utf8')
    expect(text).toMatch(/^PRIVATE\+KEY\+example\.com\/storage\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}\n$/)
    if (process.platform !== 'win32') expect(statSync(at('key')).mode & 0o777).toBe(0o600)
  })

  test('--new-key never replaces a key', async () => {
    const before = readFileSync(at('key'), 'utf8')
    const { code, stdout, stderr } = await varve.run(['checkpoint', '--new-key', 'a', '--key', 'key'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe(
      'varve: key is there already. Give the path of a new file: a key that was replaced would be lost.\n',
    )
    expect(readFileSync(at('key'), 'utf8')).toBe(before)
    expect(await varve.run(['checkpoint', '--new-key', 'a b', '--key', 'never'])).toMatchObject({ code: 2 })
    expect(existsSync(at('never'))).toBe(false)
  })

  test('--new-key says the same as JSON', async () => {
    const { stdout } = await varve.run(['checkpoint', '--new-key', 'n', '--key', 'json-key', '--json'])
    expect(JSON.parse(stdout)).toEqual({
      name: 'n',
      key: 'json-key',
      vkey: expect.stringMatching(/^n\+/) as string,
    })
  })

  test('prints what it signed, and nothing else', async () => {
    const { code, stdout, stderr } = await varve.run(['checkpoint', 'storage', '--key', 'key'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toBe(readFileSync(at('five.txt'), 'utf8'))
    expect(verifyCheckpoint(stdout, { vkey })).toMatchObject({ size: 5 })
  })

  test('--out replaces an older one, and says where to keep it and how to verify it', async () => {
    cpSync(at('three.txt'), at('out.txt'))
    const { code, stdout } = await varve.run(['checkpoint', 'storage', '--key', 'key', '--out', 'out.txt'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Commits 1 to 5 of varve\/[0-9a-f-]{36}: the checkpoint is in out\.txt\.\n/)
    expect(stdout).toContain(vkey)
    expect(readFileSync(at('out.txt'), 'utf8')).toBe(readFileSync(at('five.txt'), 'utf8'))
    expect(existsSync(at('out.txt.new'))).toBe(false)
  })

  test.each([
    ['another history', 'rewritten', 'three.txt', 1, 'The checkpoint saw other commits 1 to 3'],
    ['one that is shorter', 'rewritten', 'five.txt', 1, 'The checkpoint saw 5 commits; rewritten has 4.'],
    ['what is no checkpoint', 'storage', 'key', 2, 'This is not a signed note'],
  ])('--out never replaces the trace of %s', async (_, directory, file, expected, message) => {
    cpSync(at(file), at('kept.txt'))
    const { code, stdout, stderr } = await varve.run([
      'checkpoint',
      directory,
      '--key',
      'key',
      '--out',
      'kept.txt',
    ])
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
    expect(stderr).toContain(message)
    expect(readFileSync(at('kept.txt'))).toEqual(readFileSync(at(file)))
  })

  test('--json and --origin', async () => {
    const args = ['checkpoint', 'storage', '--key', 'key', '--origin', 'example.com/storage', '--json']
    const said = JSON.parse((await varve.run(args)).stdout) as { text: string }
    expect(said).toMatchObject({ origin: 'example.com/storage', size: 5, uncovered: 0, vkey })
    expect(verifyCheckpoint(said.text, { vkey, origin: 'example.com/storage' }).size).toBe(5)
  })

  test('says which commits it does not cover yet', async () => {
    const storage = await StorageContext.fromDefaults({ persistDir: at('open') })
    for (const id of ['a', 'b']) {
      await storage.docstore.addDocuments([new Document({ id_: id, text: id })])
      await storage.persist()
    }
    const { code, stdout, stderr } = await varve.run(['checkpoint', 'open', '--key', 'key'])
    await storage.close()
    expect(code).toBe(0)
    expect(stdout.split('\n')[1]).toBe('1')
    expect(stderr).toMatch(/^Not covered: commit 2\. /)
  })

  test.each([
    ['a key that is missing', ['storage', '--key', 'nowhere'], 'There is no file nowhere. Check the path.'],
    ['a key that is none', ['storage', '--key', 'five.txt'], 'This is not the signer key of a signed note.'],
    ['no key', ['storage'], "required option '--key <file>' not specified"],
    ['no directory', ['nowhere', '--key', 'key'], 'There is no directory nowhere.'],
    ['no place to write', ['storage', '--key', 'key', '--out', 'no/where'], 'no/where'],
  ])('cannot be made with %s', async (_, args, message) => {
    const { code, stdout, stderr } = await varve.run(['checkpoint', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

describe('varve prove', () => {
  test('prints a proof that needs no directory', async () => {
    const { code, stdout, stderr } = await varve.run(['prove', '2', 'storage', '--against', 'three.txt'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(verifyInclusion(stdout, { hash: hashes[1]!, vkey }).number).toBe(2)
  })

  test('takes ./storage where no directory is named', async () => {
    const { code, stdout } = await varve.run(['prove', '4', '--against', 'five.txt', '--json'])
    expect(code).toBe(0)
    const { text, ...said } = JSON.parse(stdout) as { text: string }
    expect(said).toEqual({ number: 4, hash: hashes[3] })
    expect(verifyInclusion(text, { hash: hashes[3]!, vkey }).number).toBe(4)
  })

  test('--since proves that nothing was rewritten', async () => {
    const args = ['prove', '--since', 'three.txt', '--against', 'five.txt']
    const { code, stdout } = await varve.run(args)
    expect(code).toBe(0)
    const old = readFileSync(at('three.txt'), 'utf8')
    expect(verifyConsistency(old, stdout, { vkey })).toMatchObject({ old: { size: 3 }, new: { size: 5 } })
    expect((await varve.run(['prove', 'storage', ...args.slice(1)])).stdout).toBe(stdout)
  })

  test.each([
    ['a commit that came later', ['4', 'storage', '--against', 'three.txt'], 'saw commits 1 to 3, and no 4'],
    ['another history', ['2', 'rewritten', '--against', 'three.txt'], 'saw other commits 1 to 3'],
    ['one that is shorter', ['2', 'rewritten', '--against', 'five.txt'], 'saw 5 commits; rewritten has 4'],
    ['the wrong order', ['--since', 'five.txt', '--against', 'three.txt'], 'the older one 5'],
  ])('answers no for %s', async (_, args, message) => {
    const { code, stdout, stderr } = await varve.run(['prove', ...args])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(message)
  })

  test.each([
    ['no commit', ['--against', 'five.txt'], 'the commit to prove is missing'],
    ['a directory alone', ['storage', '--against', 'five.txt'], "'storage' is not the number of one"],
    ['commit 0', ['0', 'storage', '--against', 'five.txt'], "'0' is not the number of one"],
    ['no checkpoint', ['2', 'storage'], "required option '--against <file>' not specified"],
    ['what is no checkpoint', ['2', 'storage', '--against', 'key'], 'This is not a signed note'],
    ['a checkpoint that is missing', ['2', '--against', 'nowhere'], 'There is no file nowhere.'],
    ['a word too many', ['2', 'storage', '3', '--against', 'five.txt'], 'too many arguments'],
    [
      'both a commit and --since',
      ['2', 'storage', '--since', 'three.txt', '--against', 'five.txt'],
      'with --since there is no commit to name',
    ],
  ])('cannot ask with %s', async (_, args, message) => {
    const { code, stdout, stderr } = await varve.run(['prove', ...args])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

describe('varve verify --against', () => {
  const verify = (directory: string, kept: string, ...more: string[]) =>
    varve.run(['verify', directory, '--against', kept, ...more])

  test('a checkpoint says how far the history is the one that was kept', async () => {
    const { code, stdout, stderr } = await verify('storage', 'three.txt', '--vkey', vkey)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n')[1]).toBe(
      'Commits 1 to 3 are what was kept elsewhere; of 2 later commits it says nothing.',
    )
    expect((await verify('storage', 'five.txt', '--vkey', vkey)).stdout.split('\n')[1]).toBe(
      'Commits 1 to 5 are what was kept elsewhere.',
    )
  })

  test('a number and a hash do, too, given or in a file', async () => {
    const kept = `3:${hashes[2]}`
    writeFileSync(at('kept'), `${kept}\n`)
    for (const given of [kept, 'kept']) {
      const { code, stdout } = await verify('storage', given, '--json')
      expect(code).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ anchor: { state: 'anchored', number: 3, later: 2 } })
    }
  })

  test('answers no where history was rewritten or cut short, though the directory is intact', async () => {
    const rewritten = await verify('rewritten', 'three.txt', '--vkey', vkey)
    expect(rewritten.code).toBe(1)
    expect(rewritten.stdout).toMatch(/^rewritten is intact: /)
    expect(rewritten.stdout).toContain(
      'Not commits 1 to 3 as kept elsewhere stand here: history was rewritten',
    )
    const short = await verify('short', 'five.txt', '--vkey', vkey)
    expect(short.code).toBe(1)
    expect(short.stdout).toContain('What was kept elsewhere saw commit 5, and it is not here')
    const { code, stdout } = await verify('rewritten', `1:${hashes[0]}`, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ intact: true, anchor: { state: 'rewritten' } })
  })

  test('answers no where commits are lost that it would take to tell', async () => {
    cpSync(at('storage'), at('lost'), { recursive: true })
    const path = at('lost/commits/0000000001.log')
    const bytes = readFileSync(path)
    bytes[64 + 8]! ^= 1
    writeFileSync(path, bytes)
    const { code, stdout } = await verify('lost', 'three.txt', '--vkey', vkey)
    expect(code).toBe(1)
    expect(stdout).toContain('Whether this is what was kept elsewhere cannot be told')
  })

  test('answers no for a checkpoint that another key signed', async () => {
    const { stdout } = await varve.run(['checkpoint', '--new-key', 'example.com/storage', '--key', 'key-2'])
    const other = stdout.trim().split('\n').at(-1)!
    const { code, stderr } = await verify('storage', 'three.txt', '--vkey', other)
    expect(code).toBe(1)
    expect(stderr).toContain('It is not signed by the key example.com/storage.')
  })

  test.each([
    ['a checkpoint without its key', ['three.txt'], 'Nothing tells who must have signed three.txt.'],
    ['a key that is none', ['three.txt', '--vkey', 'key'], 'This is not the verifier key'],
    ['half a hash', ['3:abcd'], 'There is no file 3:abcd.'],
    ['what is no text', ['garbage', '--vkey', 'x'], 'garbage is no text.'],
    ['what is neither', ['key', '--vkey', vkeyOfGo], 'This is not a signed note'],
  ])('cannot ask with %s', async (_, args, message) => {
    writeFileSync(at('garbage'), Buffer.of(0xff, 0xfe, 0xff))
    const { code, stdout, stderr } = await varve.run(['verify', 'storage', '--against', ...args])
    rmSync(at('garbage'))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

// What holds for each verb, whatever it does.
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Document, StorageContext } from 'varve'
import { BuiltCommand, type Ran } from './built-command.ts'

interface Verb {
  name: string
  /** What stands before the directory, and after it. */
  before?: string[]
  after?: string[]
  writes?: 'commits' | 'elsewhere'
  /** With `--json`, one object a line. */
  streams?: boolean
  /** What it answers of a directory whose commit log is damaged, if not that it cannot look. */
  ofDamage?: 0 | 1
}

const verbs: Verb[] = [
  { name: 'verify', ofDamage: 1 },
  { name: 'repair', after: ['--to', 'made'], writes: 'elsewhere', ofDamage: 1 },
  { name: 'import', writes: 'elsewhere' },
  { name: 'export', after: ['--format', 'python', '--to', 'made'], writes: 'elsewhere' },
  { name: 'unlock', ofDamage: 0 },
  { name: 'checkpoint', after: ['--key', 'key'] },
  { name: 'prove', before: ['1'], after: ['--against', 'checkpoint.txt'] },
  { name: 'log', streams: true },
  { name: 'show', before: ['HEAD'] },
  { name: 'diff', before: ['1', '2'], streams: true },
  { name: 'versions', before: ['docstore', 'a'], streams: true },
  { name: 'blame', before: ['docstore', 'a'], streams: true },
  { name: 'ls', before: ['docstore'], streams: true },
  { name: 'cat', before: ['docstore', 'a'] },
  { name: 'stats' },
  { name: 'tags', streams: true },
  { name: 'tag', before: ['v2'], writes: 'commits' },
  { name: 'restore', before: ['1'], writes: 'commits' },
  { name: 'revert', before: ['3'], writes: 'commits' },
  { name: 'erase', after: ['--node', 'a', '--reason', 'asked for'], writes: 'commits' },
]
const reading = verbs.filter(({ name, writes }) => writes !== 'commits' && name !== 'import')

let varve: BuiltCommand

const at = (name: string): string => join(varve.directory, name)

async function ask(
  { name, before = [], after = [] }: Verb,
  directory: string,
  ...more: string[]
): Promise<Ran> {
  const options = after.map((word) => (word === 'made' ? `made-${name}-${directory}` : word))
  return varve.run([name, ...before, directory, ...options, ...more])
}

async function write(path: string): Promise<void> {
  const storage = await StorageContext.fromDefaults({ persistDir: path })
  for (const text of ['one', 'two', 'three']) {
    await storage.docstore.addDocuments([new Document({ id_: 'a', text }), new Document({ id_: text, text })])
    await storage.persist({ message: text })
  }
  await storage.history.tag('v1')
  await storage.close()
}

/** Every file with its bytes. */
function filesOf(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  return Object.fromEntries(
    entries.map(({ parentPath, name }) => [
      join(parentPath, name),
      readFileSync(join(parentPath, name)).toString('base64'),
    ]),
  )
}

beforeAll(async () => {
  varve = new BuiltCommand()
  await write(at('storage'))
  await varve.run(['checkpoint', '--new-key', 'example.com/storage', '--key', 'key'])
  await varve.run(['checkpoint', 'storage', '--key', 'key', '--out', 'checkpoint.txt'])
  cpSync(at('storage'), at('damaged'), { recursive: true })
  // Of what snapshots know, openings read nothing anew.
  rmSync(join(at('damaged'), 'snapshots'), { recursive: true })
  const log = join(at('damaged'), 'commits', readdirSync(join(at('damaged'), 'commits'))[0]!)
  const bytes = readFileSync(log)
  bytes[bytes.indexOf('vrv', 200) + 50]! ^= 1
  writeFileSync(log, bytes)
}, 120_000)

afterAll(() => varve.remove())

test('all verbs are here', async () => {
  const { stdout } = await varve.run(['--help'])
  const listed = Array.from(stdout.matchAll(/^ {2}([a-z]+) .*\[dir\]/gm), ([, name]) => name)
  // `varve follow` never ends: it has tests of its own.
  expect(listed.toSorted()).toEqual(['follow', ...verbs.map(({ name }) => name)].toSorted())
})

describe.each(verbs)('varve $name', (verb) => {
  const { name, ofDamage } = verb

  test('explains itself with one example, which names a directory, and answers in JSON', async () => {
    const { code, stdout, stderr } = await varve.run([name, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.match(/\$ varve /g)).toHaveLength(1)
    expect(stdout).toMatch(new RegExp(`\\$ varve ${name} .*\\./storage`))
    expect(stdout).toMatch(/ --json /)
  })

  test('cannot ask with an option that nobody knows, nor of a directory that is not there', async () => {
    const unknown = await ask(verb, 'storage', '--fast')
    expect(unknown).toMatchObject({ code: 2, stdout: '' })
    expect(unknown.stderr).toContain("error: unknown option '--fast'")
    const missing = await ask(verb, 'nowhere')
    expect(missing).toMatchObject({ code: 2, stdout: '' })
    expect(missing.stderr).toMatch(/^varve: .*nowhere/)
    expect(readdirSync(varve.directory)).not.toContain('nowhere')
  })

  test('does not guess where the commit log is damaged', async () => {
    const before = filesOf(at('damaged'))
    const { code, stdout, stderr } = await ask(verb, 'damaged')
    expect(code).toBe(ofDamage ?? 2)
    if (ofDamage === undefined && name !== 'import') {
      expect(stdout).toBe('')
      expect(stderr).toContain('`varve verify` says what is damaged, `varve repair` saves what is good.')
    }
    expect(filesOf(at('damaged'))).toEqual(before)
  })
})

test.each(verbs.filter(({ name }) => name !== 'import'))(
  'varve $name answers in JSON with --json',
  async (verb) => {
    cpSync(at('storage'), at(`json-${verb.name}`), { recursive: true })
    const { stdout, stderr } = await ask(verb, `json-${verb.name}`, '--json')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/\n$/)
    const values = verb.streams ? stdout.trimEnd().split('\n') : [stdout]
    for (const value of values) expect(JSON.parse(value)).toBeTypeOf('object')
  },
)

describe('beside a writer with pending changes', () => {
  let storage: StorageContext

  beforeAll(async () => {
    await write(at('busy'))
    cpSync(at('busy'), at('calm'), { recursive: true })
    storage = await StorageContext.fromDefaults({ persistDir: at('busy') })
    await storage.docstore.addDocuments([new Document({ id_: 'pending' })])
  })

  afterAll(async () => {
    await storage.rollback()
    await storage.close()
  })

  test.each(reading)('varve $name answers as if it were alone, and writes nothing there', async (verb) => {
    const before = filesOf(at('busy'))
    // A checkpoint of another directory proves nothing of this one.
    const isProof = verb.name === 'prove'
    const [alone, beside] = [
      await ask(verb, isProof ? 'storage' : 'calm'),
      await ask(verb, isProof ? 'storage' : 'busy'),
    ]
    if (verb.name === 'unlock') expect(beside).toMatchObject({ code: 1, stderr: '' })
    else expect(beside.code).toBe(alone.code)
    if (verb.streams) expect(beside.stdout).toBe(alone.stdout)
    expect(filesOf(at('busy'))).toEqual(before)
  })

  test.each(verbs.filter(({ writes }) => writes === 'commits'))(
    'varve $name is told who writes',
    async (verb) => {
      const { code, stdout, stderr } = await ask(verb, 'busy')
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain(`process ${process.pid}`)
    },
  )
})

test.skipIf(process.platform === 'win32').each(verbs.filter(({ streams }) => streams))(
  'varve $name ends quietly when its reader has had enough',
  ({ name, before = [] }) => {
    const words = [process.execPath, varve.path, name, ...before, 'storage']
      .map((word) => `"${word}"`)
      .join(' ')
    const { stderr, stdout } = spawnSync('sh', ['-c', `${words} | head -n 1`], {
      cwd: varve.directory,
      encoding: 'utf8',
    })
    expect(stdout.split('\n')).toHaveLength(2)
    expect(stderr).toBe('')
  },
)

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Document, StorageContext } from 'varve'
import packageJson from '../../package.json' with { type: 'json' }
import { BuiltCommand } from './built-command.ts'

let varve: BuiltCommand

const at = (name: string): string => join(varve.directory, name)

async function makeStorage(path: string): Promise<void> {
  const storage = await StorageContext.fromDefaults({
    persistDir: path,
    clock: () => new Date('2026-03-04T05:06:07.089Z'),
  })
  await storage.docstore.addDocuments([
    new Document({ id_: 'a', text: 'Ask me about tides' }),
    new Document({ id_: 'b', text: 'and moons' }),
  ])
  await storage.persist({ message: 'first import', actor: 'ingest', metadata: { files: 2n } })
  await storage.docstore.addDocuments([new Document({ id_: 'c', text: 'and winds' })])
  await storage.persist({ message: 'winds\nwith a second line' })
  await storage.docstore.deleteDocument('a')
  await storage.persist({ message: 'a \u001b[31mred\u001b[0m herring', actor: 'reviewer' })
  await storage.close()
}

function copyOf(name: string): string {
  cpSync(at('storage'), at(name), { recursive: true })
  return at(name)
}

function overwrite(path: string, text: string, bytes: string): void {
  const content = readFileSync(path)
  const offset = content.indexOf(text)
  expect(offset).toBeGreaterThan(0)
  content.set(Buffer.from(bytes), offset)
  writeFileSync(path, content)
}

beforeAll(async () => {
  varve = new BuiltCommand()
  await makeStorage(at('storage'))
  overwrite(join(copyOf('damaged'), 'docstore/0000000001.log'), 'Ask me', 'ASK')
  writeFileSync(join(copyOf('newer'), 'varve.json'), '{"format":2}')
  mkdirSync(at('llama'))
  writeFileSync(at('llama/docstore.json'), '{}')
  mkdirSync(at('empty'))
  writeFileSync(at('file'), '')
}, 120_000)

afterAll(() => varve.remove())

describe('varve', () => {
  test('without a verb says what it can do, and fails', async () => {
    const { code, stderr } = await varve.run([])
    expect(code).toBe(2)
    for (const verb of ['verify', 'repair', 'import', 'export', 'unlock', 'log', 'checkpoint', 'stats'])
      expect(stderr).toContain(`  ${verb} [options] [dir]`)
  })

  test('says its version', async () => {
    expect((await varve.run(['--version'])).stdout).toBe(`${packageJson.version}\n`)
  })

  test.each([
    ['an unknown verb', ['verfy'], "error: unknown command 'verfy'\n(Did you mean verify?)"],
    ['an unknown option', ['verify', '--fast'], "error: unknown option '--fast'"],
    ['an argument too many', ['log', 'storage', 'other'], 'too many arguments'],
    ['a limit that is no number', ['log', '--limit', 'few'], 'It is not a whole number.'],
    ['a repair to nowhere', ['repair', 'storage'], "required option '--to <new>' not specified"],
  ])('cannot ask with %s', async (_, args, message) => {
    const { code, stdout, stderr } = await varve.run(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  test.each([
    ['verify', []],
    ['log', []],
    ['unlock', []],
    ['repair', ['--to', 'never']],
  ])('%s takes ./storage where no directory is named', async (verb, options) => {
    expect((await varve.run([verb, ...options])).code).toBe(0)
  })

  describe.each(['verify', 'log', 'repair'])('%s cannot look at', (verb) => {
    test.each([
      ['a missing directory', 'nowhere', 'There is no directory nowhere. Check the path.'],
      ['a file', 'file', 'file is not a directory.'],
      ['an empty directory', 'empty', 'There is no journal in empty.'],
      ["LlamaIndex's files", 'llama', "llama holds LlamaIndex's files, and no journal yet."],
      [
        'a newer format',
        'newer',
        'newer/varve.json has a newer format than 1. Update Varve; nothing was changed.',
      ],
    ])('%s', async (_, directory, message) => {
      const { code, stdout, stderr } = await varve.run([
        verb,
        directory,
        ...(verb === 'repair' ? ['--to', 'never-2'] : []),
      ])
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(/^varve: /)
      expect(stderr).toContain(message)
      expect(existsSync(at('never-2'))).toBe(false)
    })
  })
})

describe('varve verify', () => {
  test('says in one line that all is well', async () => {
    const { code, stdout, stderr } = await varve.run(['verify', 'storage'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^storage is intact: 3 commits, 1 store, \d+ items, [\d.]+ kB\.\n$/)
  })

  test('names what is damaged, what follows, what is safe and what to do', async () => {
    const { code, stdout, stderr } = await varve.run(['verify', 'damaged'])
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^damaged is damaged in 1 place: 3 commits, 1 store, /),
      '',
      expect.stringMatching(/^docstore\/0000000001\.log, offset \d+, item 0, NodesAdded of a, commit 1$/),
      '  Its payload is damaged. This item is lost; all others can be read.',
      '',
      'What is safe:',
      '  docstore  nothing for certain; damaged in commit 1',
      '',
      'To save what is good: varve repair damaged --to NEW',
      '',
    ])
  })

  test('--json is the whole report', async () => {
    const { code, stdout } = await varve.run(['verify', 'damaged', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      intact: false,
      commits: 3,
      damages: [{ kind: 'item', store: 'docstore', key: 'a', commits: [[1, 1]] }],
    })
  })

  test('reports a torn end without alarm', async () => {
    const path = join(copyOf('torn'), 'commits')
    const [name] = readdirSync(path)
    writeFileSync(
      join(path, name!),
      Buffer.concat([readFileSync(join(path, name!)), Buffer.from('vrv\u001f, and then the power went')]),
    )
    const { code, stdout } = await varve.run(['verify', 'torn'])
    expect(code).toBe(0)
    expect(stdout).toContain('torn is intact')
    expect(stdout).toMatch(/The last writer did not finish what stands at the end .* that is no damage\./)
  })

  test('says that all is damaged where nothing can be read', async () => {
    const path = copyOf('ruined')
    writeFileSync(join(path, 'varve.json'), '')
    for (const name of readdirSync(join(path, 'commits'))) writeFileSync(join(path, 'commits', name), '')
    const { code, stderr } = await varve.run(['verify', 'ruined'])
    expect(code).toBe(1)
    expect(stderr).toContain('Neither ruined/varve.json nor any segment of the commit log can be read.')
  })
})

describe('varve repair', () => {
  test('writes all that is good, and says what was lost', async () => {
    const { code, stdout } = await varve.run(['repair', 'damaged', '--to', 'repaired'])
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /^repaired holds 3 commits, \d+ items, \d+ bytes of damaged, which was not changed\.\n/,
    )
    expect(stdout).toContain(
      '1 thing could not be carried over:\n  Commit 1 in docstore: NodesAdded a (its payload is damaged)\n',
    )
    expect(stdout).toContain('so their hashes differ')
    expect((await varve.run(['verify', 'repaired'])).code).toBe(0)
    const storage = await StorageContext.fromDefaults({ persistDir: at('repaired'), readOnly: true })
    expect(await Promise.all(['a', 'b', 'c'].map((id) => storage.docstore.documentExists(id)))).toEqual([
      false,
      true,
      true,
    ])
    await storage.close()
  })

  test('answers yes where nothing was lost, in JSON too', async () => {
    const { code, stdout } = await varve.run(['repair', 'storage', '--to', 'copied', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ from: 'storage', to: 'copied', commits: 3, lost: [] })
  })

  test('refuses a target that holds anything', async () => {
    const { code, stderr } = await varve.run(['repair', 'storage', '--to', 'llama'])
    expect(code).toBe(2)
    expect(stderr).toBe(
      'varve: llama is there already, and not empty. Give the path of a new or empty directory.\n',
    )
    expect(readdirSync(at('llama'))).toEqual(['docstore.json'])
  })
})

describe('varve log', () => {
  test('lists the commits, the newest first, one a line, whatever their messages hold', async () => {
    const { code, stdout, stderr } = await varve.run(['log', 'storage'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.replace(/ [0-9a-f]{8} /g, ' HASHHASH ')).toBe(
      [
        '3  HASHHASH  2026-03-04T05:06:07Z  reviewer: a \\u001b[31mred\\u001b[0m herring',
        '2  HASHHASH  2026-03-04T05:06:07Z  winds …',
        '1  HASHHASH  2026-03-04T05:06:07Z  ingest: first import',
        '',
      ].join('\n'),
    )
  })

  test('--limit stops early', async () => {
    expect((await varve.run(['log', 'storage', '--limit', '2'])).stdout.trim().split('\n')).toHaveLength(2)
    expect((await varve.run(['log', 'storage', '-n', '0'])).stdout).toBe('')
  })

  test('--json is one object a line, with all that is known', async () => {
    const { stdout } = await varve.run(['log', 'storage', '--json'])
    const lines = stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    expect(JSON.parse(lines[2]!)).toEqual({
      number: 1,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      time: '2026-03-04T05:06:07.089Z',
      kind: 'data',
      actor: 'ingest',
      message: 'first import',
      metadata: { files: '2' },
    })
  })

  test('points to verify and repair where the log is damaged', async () => {
    const path = copyOf('broken')
    overwrite(join(path, 'commits/0000000001.log'), 'first import', 'FIRST')
    const { code, stderr } = await varve.run(['log', 'broken'])
    expect(code).toBe(2)
    expect(stderr).toContain('`varve verify` says what is damaged, `varve repair` saves what is good.')
  })

  test.skipIf(process.platform === 'win32')('ends quietly when its reader has had enough', () => {
    const { stderr, stdout } = spawnSync(
      'sh',
      ['-c', `"${process.execPath}" "${varve.path}" log storage | head -n 1`],
      { cwd: varve.directory, encoding: 'utf8' },
    )
    expect(stdout.split('\n')).toHaveLength(2)
    expect(stderr).toBe('')
  })
})

describe('varve export', () => {
  test('writes what LlamaIndex loads, and says how much', async () => {
    const { code, stdout, stderr } = await varve.run([
      'export',
      'storage',
      '--format',
      'python',
      '--to',
      'exported',
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(
      /^exported holds [\d.]+ kB in 5 files for LlamaIndex in Python:\n {2}2 nodes, 0 indices, 0 triplets\n/,
    )
    expect(JSON.parse(readFileSync(at('exported/docstore.json'), 'utf8'))).toHaveProperty([
      'docstore/data',
      'b',
    ])
  })

  test('what has no place makes it exit with 1, and is named', async () => {
    mkdirSync(at('odd'))
    const empty = { embedding_dict: { x: [0.5] } }
    writeFileSync(at('odd/a__b__vector_store.json'), JSON.stringify(empty))
    const { code, stdout } = await varve.run(['export', 'odd', '--format', 'python', '--to', 'odd-exported'])
    expect(code).toBe(1)
    expect(stdout).toContain('Left out, for want of a place (1):\n  namespace a__b (1 vectors): ')
  })

  test('as JSON it is the whole report', async () => {
    const { stdout } = await varve.run([
      'export',
      'storage',
      '--format',
      'python',
      '--to',
      'as-json',
      '--json',
    ])
    expect(JSON.parse(stdout)).toMatchObject({ to: 'as-json', format: 'python', nodes: 2, omitted: [] })
  })

  test('a format that is none, and a target that is not empty, exit with 2', async () => {
    expect(await varve.run(['export', 'storage', '--format', 'xml', '--to', 'x'])).toMatchObject({ code: 2 })
    const { code, stderr } = await varve.run(['export', 'storage', '--format', 'python', '--to', 'llama'])
    expect(code).toBe(2)
    expect(stderr).toBe(
      'varve: llama is there already, and not empty. Give the path of a new or empty directory.\n',
    )
  })
})

describe('varve import', () => {
  test('commits what it found, and names what does not fit', async () => {
    mkdirSync(at('json'))
    const docs = { 'docstore/data': { n: { __type__: '1', __data__: { id_: 'n', text: 'one', later: 1 } } } }
    writeFileSync(at('json/docstore.json'), JSON.stringify(docs))
    const { code, stdout, stderr } = await varve.run(['import', 'json', '--to', 'imported'])
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(stdout.replace(/\([0-9a-f]{8}\)/, '(…)')).toBe(
      [
        'json: 86 bytes in 1 file of LlamaIndex in Python, which were not changed.',
        'imported holds them as commit 1 (…):',
        '  1 node, 0 triplets',
        'To be known (1):',
        '  index_store.json: It is missing: there is no index to load.',
        '',
      ].join('\n'),
    )
    const { stdout: again } = await varve.run(['import', 'json', '--json'])
    expect(JSON.parse(again)).toMatchObject({ from: 'json', to: 'json', nodes: 1, commit: { number: 1 } })
    expect((await varve.run(['verify', 'imported'])).code).toBe(0)
  })

  test('of a directory without them exits with 2', async () => {
    expect(await varve.run(['import', 'empty'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: "varve: Nothing of LlamaIndex's stands in empty. Check the path.\n",
    })
  })
})

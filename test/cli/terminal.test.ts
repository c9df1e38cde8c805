import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Document, StorageContext } from 'varve'
import { BuiltCommand } from './built-command.ts'
import { noTerminal, onTerminal, type OnTerminalOptions, type Seen } from './on-terminal.ts'

let varve: BuiltCommand

const hurried = {
  NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'hurried-clock.mjs')).href}`,
}
const clear = '\r\u001b[K'

function see(words: string, options: Omit<OnTerminalOptions, 'cwd'> = {}): Promise<Seen> {
  const command = [process.execPath, varve.path, ...words.split(' ')]
  return onTerminal(command, { cwd: varve.directory, ...options })
}

/** What the command does in a shell, with its output in a pipe. */
function seeInShell(words: string, env: NodeJS.ProcessEnv = {}): Promise<Seen> {
  const command = `'${process.execPath}' '${varve.path}' ${words}`
  return onTerminal(['sh', '-c', command], { cwd: varve.directory, env })
}

async function write(name: string, commits: number, text: string): Promise<void> {
  const storage = await StorageContext.fromDefaults({
    persistDir: join(varve.directory, name),
    clock: () => new Date('2026-03-04T05:06:07.089Z'),
  })
  for (let commit = 1; commit <= commits; commit++) {
    await storage.docstore.addDocuments(
      Array.from({ length: 20 }, (_, at) => new Document({ id_: `${at}`, text: `${commit} ${text}` })),
    )
    await storage.persist({ actor: 'ann', message: `number ${commit}` })
  }
  await storage.close()
}

test('there is a terminal to test on, where nothing may be left out', () => {
  if (noTerminal !== undefined) console.warn(`Not tested on a terminal: ${noTerminal}.`)
  expect(process.env['CI'] ? noTerminal : undefined).toBeUndefined()
})

describe.skipIf(noTerminal !== undefined)('on a terminal', () => {
  beforeAll(async () => {
    varve = new BuiltCommand()
    await write('storage', 2, 'tide')
    await write('large', 40, 'tide and moon '.repeat(3000))
  }, 120_000)

  afterAll(() => varve.remove())

  test('words are coloured', async () => {
    expect((await see('verify storage')).output).toContain('\u001b[32mstorage is intact\u001b[39m')
    expect((await see('log storage')).output).toContain('\u001b[1mann:\u001b[22m')
    const { code, output } = await see('diff 1 2 storage')
    expect(code).toBe(1)
    expect(output).toContain('\u001b[31m- 1 tide\u001b[39m')
    expect(output).toContain('\u001b[32m+ 2 tide\u001b[39m')
    const failed = await see('log nowhere')
    expect(failed.code).toBe(2)
    expect(failed.output).toContain('\u001b[31mvarve:\u001b[39m There is no directory nowhere.')
  })

  test.each([{ NO_COLOR: '1' }, { TERM: 'dumb' }])('they are not with %o', async (env) => {
    for (const words of ['verify storage', 'log storage', 'diff 1 2 storage', 'log nowhere', 'stats storage'])
      expect((await see(words, { env })).output, words).not.toContain('\u001b')
  })

  test('nor in a pipe or a file, whatever stands beside', async () => {
    const { output } = await seeInShell('log storage | cat')
    expect(output).toContain('ann: number 2')
    expect(output).not.toContain('\u001b')
    await seeInShell('verify storage > verified')
    const { screen } = await onTerminal(['cat', 'verified'], { cwd: varve.directory })
    expect(screen).toEqual([expect.stringMatching(/^storage is intact: /)])
  })

  test('nobody is told of progress within a second', async () => {
    expect((await see('verify storage')).output).not.toContain('…')
  })

  test.each([
    ['verify large', /reading … \d+ % of \d+ MB/, [/large is intact.*: 40 commits/]],
    [
      'export large --format python --to out',
      /writing docstore\.json … /,
      [/out.* holds/, /20 nodes/, /0 vectors/],
    ],
    ['log storage', /reading … [\d.]+ (bytes|kB)/, [/^2 .*number 2$/, /^1 .*number 1$/]],
    [
      'cat docstore 7 storage',
      /reading … [\d.]+ kB/,
      [/id_/, /^ {2}7$/, /class/, /Document/, /text/, /2 tide/, /hash/, /./],
    ],
    ['restore HEAD~1 storage', /writing … /, [/^3 .*\[restore\]/]],
    ['diff 1 1 storage', /reading … /, []],
  ])('%s shows how far it is, and takes that away', async (words, progress, lines) => {
    const { output, screen } = await see(words, { env: hurried })
    const shown = output.split(clear).filter((line) => line.includes('…'))
    expect(shown.some((line) => progress.test(line))).toBe(true)
    expect(screen).toEqual(lines.map((line) => expect.stringMatching(line) as string))
  })

  test('progress goes nowhere but to a terminal', async () => {
    const { output } = await seeInShell('verify storage 2> errors; cat errors', hurried)
    expect(output).not.toContain('…')
    expect(output).toContain('is intact')
  })

  /** Types Ctrl-C as soon as it writes. */
  function interrupted(words: string): Promise<Seen> {
    let typed = false
    return see(words, {
      env: hurried,
      onOutput: (output) => {
        if (typed || !output.includes('writing …')) return undefined
        typed = true
        return '\u0003'
      },
    })
  }

  test('Ctrl-C ends a repair in order: nothing is half there, and the old directory is as it was', async () => {
    expect(await interrupted('repair large --to stopped')).toMatchObject({ code: 130, screen: [] })
    expect(existsSync(join(varve.directory, 'stopped'))).toBe(false)
    const left = readdirSync(join(varve.directory, 'stopped.unfinished'), {
      recursive: true,
      withFileTypes: true,
    })
    expect(left.filter((entry) => entry.isFile())).toEqual([])
    expect((await see('verify large')).code).toBe(0)
    expect((await see('repair large --to stopped')).code).toBe(0)
  }, 60_000)

  test('Ctrl-C ends a restore with all of it or nothing, and leaves no lock in the way', async () => {
    expect([0, 130]).toContain((await interrupted('restore 1 large')).code) // It may be done before the key is.
    expect((await see('verify large')).code).toBe(0)
    expect([0, 1]).toContain((await see('diff 1 HEAD large')).code)
    expect((await see('restore 1 large')).code).toBe(0)
    expect((await see('diff 1 HEAD large')).code).toBe(0)
  }, 60_000)
})

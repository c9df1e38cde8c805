import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
vi.setConfig({ testTimeout: 120_000 })

let cwd: string

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'varve-quickstart-'))
  mkdirSync(join(cwd, 'docs/node_modules'), { recursive: true })
  writeFileSync(join(cwd, 'docs/otters.md'), '# Otters\n\nOtters hold hands while they sleep.\n')
  writeFileSync(join(cwd, 'docs/crows.txt'), 'Crows remember faces.\n')
  writeFileSync(join(cwd, 'docs/node_modules/skipped.md'), 'Not read.\n')
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

test('the quickstart indexes a folder, and a second process answers, adds a document and persists', async () => {
  const { code, stdout } = await quickstart(['docs', 'Who remembers faces?'])
  expect(code).toBe(0)
  expect(stdout).toContain('2 text and Markdown files')
  expect(stdout).toMatch(/Hits for "Who remembers faces\?"\n {2}[\d.]+ {2}crows\.txt\n/)
  expect(stdout).toMatch(
    / 2 {2}\S+ {2}second process: One note\n +1 {2}\S+ {2}quickstart: docs: 2 new or changed/,
  )
  expect(stdout).toMatch(/3 nodes of 3 documents, [\d,]+ bytes in \d+ files/)
})

test('the quickstart run again writes only what has changed', async () => {
  await quickstart(['docs'])
  const second = await quickstart(['docs'])
  expect(second.stdout).toContain('nothing to write')
  writeFileSync(join(cwd, 'docs/otters.md'), 'Otters use tools.\n')
  rmSync(join(cwd, 'docs/crows.txt'))
  const third = await quickstart(['docs'])
  expect(third.stdout).toContain('quickstart: docs: 1 new or changed, 1 removed')
})

test.each([
  ['a missing folder', 'none', /^There is no .*none\. Give a folder/m],
  ['a file', 'docs/otters.md', /otters\.md is not a folder\. Give/],
  ['a folder without text', 'docs/empty', /No text or Markdown file in .*empty\. Give/],
])('the quickstart given %s says so, and what to do', async (_what, folder, message) => {
  mkdirSync(join(cwd, 'docs/empty'))
  const { code, stderr } = await quickstart([folder])
  expect(code).toBe(1)
  expect(stderr).toMatch(message)
  expect(stderr).not.toContain('    at ')
  expect(readdirSync(cwd)).toEqual(['docs'])
})

test.skipIf(process.platform === 'win32')(
  'Ctrl-C leaves the quickstart whole',
  { timeout: 120_000 },
  async () => {
    for (let at = 0; at < 300; at++) {
      const text = `Sentence ${at} is about the number ${at}. `.repeat(200)
      writeFileSync(join(cwd, `docs/long-${at}.txt`), text)
    }
    const stopped = await quickstart(['docs'], { interruptAt: '302 text' })
    expect(stopped).toMatchObject({ code: 130, stderr: expect.stringContaining('Stopped.') as string })
    const again = await quickstart(['docs'])
    expect(again).toMatchObject({ code: 0, stderr: '' })
    expect(again.stdout).toContain('302 new or changed')
  },
)

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

async function quickstart(args: string[], { interruptAt }: { interruptAt?: string } = {}): Promise<Ended> {
  // The loader, not the runner of that name: on a busy machine the runner ends at Ctrl-C before its child has.
  const program = ['--import', import.meta.resolve('tsx'), join(ROOT, 'examples/quickstart.ts')]
  const { NODE_ENV: _nodeEnv, VITEST: _vitest, ...env } = process.env
  const child = spawn(process.execPath, [...program, ...args], {
    cwd,
    env: { ...env, TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json') },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: interruptAt !== undefined,
  })
  const ended = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      ended[name] += text
      if (interruptAt !== undefined && ended.stdout.includes(interruptAt)) {
        process.kill(-child.pid!, 'SIGINT') // Ctrl-C reaches the whole group.
        interruptAt = undefined
      }
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code, ...ended }))
  })
}

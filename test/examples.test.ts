import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const EXAMPLES = join(ROOT, 'examples')
const TSX = createRequire(import.meta.url).resolve('tsx/cli')
const files = existsSync(EXAMPLES) ? readdirSync(EXAMPLES).filter((name) => name.endsWith('.ts')) : []

test('there are examples', () => {
  expect(files.length, 'files in examples').toBeGreaterThan(0)
})

test.concurrent.for(files)(
  'examples/%s runs in an empty directory and prints what it says it prints',
  { timeout: 120_000 },
  async (file, { expect }) => {
    const cwd = mkdtempSync(join(tmpdir(), 'varve-example-'))
    try {
      const { code, output } = await run(join(EXAMPLES, file), cwd)
      expect(code, `examples/${file} printed:\n${output}`).toBe(0)
      const promised = /^\/\* Prints:\n(?<lines>[^]*?)^\*\/$/m.exec(
        readFileSync(join(EXAMPLES, file), 'utf8'),
      )
      if (promised) expect(output).toBe(promised.groups!['lines'])
    } finally {
      rmSync(cwd, { recursive: true, force: true })
    }
  },
)

async function run(file: string, cwd: string): Promise<{ code: number | null; output: string }> {
  const args = [TSX, '--tsconfig', join(ROOT, 'tsconfig.json'), file]
  // Without a terminal, and without the marks of the test runner, as a reader's own shell would start it.
  const { NODE_ENV: _nodeEnv, VITEST: _vitest, ...env } = process.env
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code, output }))
  })
}

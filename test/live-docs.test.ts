import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const TSX = createRequire(import.meta.url).resolve('tsx/cli')

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'varve-live-docs-'))
  cpSync(join(ROOT, 'examples/live-docs/docs'), join(cwd, 'docs'), { recursive: true })
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

interface Answer {
  path: string
  text: string
}

test.skipIf(process.platform === 'win32')(
  'an edit is answered differently a moment later, a deleted file no more, and Ctrl-C stops both processes in order',
  { timeout: 120_000 },
  async () => {
    const args = [
      TSX,
      '--tsconfig',
      join(ROOT, 'tsconfig.json'),
      join(ROOT, 'examples/live-docs/start.ts'),
      'docs',
      '0',
    ]
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    const printed = async (pattern: RegExp): Promise<string> => {
      for (;;) {
        const found = pattern.exec(output)
        if (found) return found[1] ?? found[0]
        if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}:\n${output}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
    try {
      const url = await printed(/serve: (http:\S+q=)/)
      await printed(/ingest: watches/)
      const ask = async (): Promise<Answer[]> => {
        const response = await fetch(`${url}${encodeURIComponent('When does the library open?')}`)
        return response.status === 200 ? ((await response.json()) as Answer[]) : []
      }
      const untilAnswered = async (what: (answer: Answer | undefined) => boolean): Promise<void> => {
        while (!what((await ask())[0])) {
          expect(child.exitCode, output).toBe(null)
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
      await untilAnswered((answer) => answer?.text.includes('opens at nine') === true)
      writeFileSync(join(cwd, 'docs/library.md'), '# The library\n\nThe library opens at noon.\n')
      await untilAnswered((answer) => answer?.text.includes('opens at noon') === true)
      rmSync(join(cwd, 'docs/library.md'))
      await untilAnswered((answer) => answer?.path === 'crows.md')
    } finally {
      child.kill('SIGINT')
    }
    expect(await ended, output).toBe(0)
    expect(output.split('\n').filter((line) => line.startsWith('ingest: commit'))).toEqual([
      'ingest: commit 1: crows.md, library.md',
      'ingest: commit 2: library.md',
      'ingest: commit 3: library.md deleted',
    ])
    expect(output).toContain('ingest: stopped')
    expect(output).toContain('serve: stopped')
  },
)

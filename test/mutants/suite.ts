/** Runs tests in a tree and says which failed first. */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const secondsAtMost = 600

export interface Outcome {
  passed: string[]
  /** The first tests that failed, with what they said. */
  failed: { test: string; message: string }[]
  /** Why nothing can be said: files that do not load, a run that does not end. */
  trouble?: string
}

interface Report {
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[]
  }[]
}

const running = new Set<number>()
process.on('exit', () => running.forEach(end))

/** `selection` is a file, or `file > words of a test's name`, or several of these. Ends at the first failure. */
export async function runTests(
  directory: string,
  selection: readonly string[],
  workers = 1,
): Promise<Outcome> {
  const chosen = selection.map((each) => each.split(' > ') as [file: string, words?: string])
  const words = chosen.every(([, name]) => name)
    ? chosen.map(([, name]) => escaped(name!)).join('|')
    : undefined
  const output = join(directory, 'report.json')
  rmSync(output, { force: true })
  const ended = await vitest(directory, [
    ...new Set(chosen.map(([file]) => file)),
    ...(words === undefined ? [] : ['--testNamePattern', words]),
    `--maxWorkers=${workers}`,
    '--bail=1',
    '--reporter=json',
    `--outputFile=${output}`,
  ])
  if (ended === 'late') return { passed: [], failed: [], trouble: `did not end in ${secondsAtMost} s` }
  return outcomeOf(directory, output)
}

function outcomeOf(directory: string, output: string): Outcome {
  let report: Report
  try {
    report = JSON.parse(readFileSync(output, 'utf8')) as Report
  } catch {
    return { passed: [], failed: [], trouble: 'the test runner reported nothing' }
  }
  const outcome: Outcome = { passed: [], failed: [] }
  for (const { name, status, message, assertionResults } of report.testResults) {
    const file = name.slice(directory.length + 1)
    for (const { fullName, status: verdict, failureMessages } of assertionResults) {
      const test = `${file} > ${fullName}`
      if (verdict === 'passed') outcome.passed.push(test)
      if (verdict === 'failed') outcome.failed.push({ test, message: failureMessages[0] ?? '' })
    }
    const isSilent = assertionResults.every((result) => result.status !== 'failed')
    if (status === 'failed' && isSilent) outcome.trouble = `${file} does not run: ${message.split('\n')[0]}`
  }
  return outcome
}

function vitest(directory: string, args: string[]): Promise<'ended' | 'late'> {
  return new Promise((resolve, reject) => {
    const entry = join(directory, 'node_modules/vitest/vitest.mjs')
    // A group of its own, so that its workers end with it.
    const child = spawn(process.execPath, [entry, 'run', ...args], {
      cwd: directory,
      stdio: 'ignore',
      detached: true,
    })
    const { pid } = child
    if (pid !== undefined) running.add(pid)
    let late = false
    const timer = setTimeout(() => {
      late = true
      if (pid !== undefined) end(pid)
    }, secondsAtMost * 1000)
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      if (pid !== undefined) running.delete(pid)
      resolve(late ? 'late' : 'ended')
    })
  })
}

function end(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

function escaped(words: string): string {
  return words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

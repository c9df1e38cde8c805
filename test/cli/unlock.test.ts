import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Document, StorageContext } from 'varve'
import { BuiltCommand } from './built-command.ts'
import type { Request } from './writer-child.ts'

let varve: BuiltCommand
const children: ChildProcess[] = []

const at = (name: string): string => join(varve.directory, name)

beforeAll(() => {
  varve = new BuiltCommand()
}, 120_000)

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

afterAll(() => varve.remove())

async function persistOne(path: string, id: string): Promise<void> {
  const storage = await StorageContext.fromDefaults({ persistDir: path, onWarning: () => {} })
  await storage.docstore.addDocuments([new Document({ id_: id, text: id })])
  await storage.persist({ message: id })
  await storage.close()
}

/** A process that holds the lock, with a change that it has not persisted. */
async function startWriter(path: string): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'writer-child.ts'), [path], { execArgv: ['--import', 'tsx'] })
  children.push(child)
  await answer(child)
  expect(await ask(child, 'change')).toBe('done')
  return child
}

function ask(child: ChildProcess, request: Request): Promise<unknown> {
  const answered = answer(child)
  child.send(request)
  return answered
}

function answer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.once('message', resolve))
}

test('a directory that nobody writes to needs no unlocking', async () => {
  await persistOne(at('free'), 'a')
  expect(await varve.run(['unlock', 'free'])).toMatchObject({
    code: 0,
    stdout: 'Nobody is writing in free.\n',
    stderr: '',
  })
})

test('what is no directory cannot be unlocked', async () => {
  expect(await varve.run(['unlock', 'nowhere'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no directory nowhere.') as string,
  })
})

test('a living holder is named and left alone', async () => {
  await persistOne(at('held'), 'a')
  const child = await startWriter(at('held'))
  const { code, stdout } = await varve.run(['unlock', 'held'])
  expect(code).toBe(1)
  expect(stdout).toMatch(
    new RegExp(`^Process ${child.pid} on .+, running since .+, holds the lock, and lives\\.\n`),
  )
  expect(stdout).toContain('varve unlock --force')
  expect(await ask(child, 'persist')).toBe('done')
})

test('beside a living holder verifying names it, and finds nothing wrong', async () => {
  await persistOne(at('busy'), 'a')
  const child = await startWriter(at('busy'))
  const { code, stdout } = await varve.run(['verify', 'busy'])
  expect(code).toBe(0)
  expect(stdout).toContain(`Process ${child.pid} on `)
})

test('a dead holder is replaced without being asked', async () => {
  await persistOne(at('dead'), 'a')
  const child = await startWriter(at('dead'))
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('exit', resolve))
  const { code, stdout } = await varve.run(['unlock', 'dead'])
  expect(code).toBe(0)
  expect(stdout).toContain('held the lock, and is dead.\ndead is unlocked.\n')
  expect(await varve.run(['unlock', 'dead'])).toMatchObject({
    code: 0,
    stdout: 'Nobody is writing in dead.\n',
  })
})

test('a living holder is displaced by force: it acknowledges nothing any more, and others write on', async () => {
  await persistOne(at('stuck'), 'a')
  const child = await startWriter(at('stuck'))
  const { code, stdout } = await varve.run(['unlock', 'stuck', '--force'])
  expect(code).toBe(0)
  expect(stdout).toContain('stuck is unlocked.')
  expect(await ask(child, 'persist')).toBe('VARVE_DISPLACED')
  await persistOne(at('stuck'), 'b')
  expect(await varve.run(['verify', 'stuck'])).toMatchObject({ code: 0 })
  expect((await varve.run(['log', 'stuck'])).stdout).toMatch(/^2 .* b\n1 .* a\n$/)
})

test.skipIf(process.platform === 'win32')(
  'whoever writes after a forced unlock never writes where a stopped process may still do',
  async () => {
    await persistOne(at('stopped'), 'a')
    const child = await startWriter(at('stopped'))
    child.kill('SIGSTOP')
    expect((await varve.run(['unlock', 'stopped', '--force'])).code).toBe(0)
    for (const id of ['b', 'c']) await persistOne(at('stopped'), id)
    const outcome = ask(child, 'persist')
    child.kill('SIGCONT')
    expect(await outcome).toBe('VARVE_DISPLACED')
    const report = JSON.parse((await varve.run(['verify', 'stopped', '--json'])).stdout) as {
      intact: boolean
      commits: number
    }
    expect(report).toMatchObject({ intact: true, commits: 3 })
    // The first session's segment of the commit log, and of the store, is nobody's any more.
    const storage = await StorageContext.fromDefaults({ persistDir: at('stopped'), readOnly: true })
    expect(await Promise.all(['a', 'b', 'c'].map((id) => storage.docstore.documentExists(id)))).toEqual([
      true,
      true,
      true,
    ])
    await storage.close()
  },
)

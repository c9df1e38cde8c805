/** The `varve` command as it is installed: built, packed, unpacked, and run by plain Node. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

export interface Ran {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export class BuiltCommand {
  /** A directory to play in, with the package in its `node_modules`. */
  readonly directory = mkdtempSync(join(tmpdir(), 'varve-cli-'))
  readonly path: string

  constructor() {
    const built = join(this.directory, 'build')
    const installed = join(this.directory, 'node_modules/varve')
    mkdirSync(built)
    mkdirSync(installed, { recursive: true })
    for (const file of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'])
      cpSync(join(root, file), join(built, file))
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [
      compiler,
      '-p',
      join(root, 'tsconfig.build.json'),
      '--outDir',
      join(built, 'dist'),
    ])
    execFileSync('npm', ['pack', '--ignore-scripts', '--silent'], {
      cwd: built,
      shell: process.platform === 'win32',
    })
    execFileSync(
      'tar',
      ['-xf', `varve-${manifest(built).version}.tgz`, '-C', installed, '--strip-components=1'],
      { cwd: built },
    )
    symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'), 'junction')
    this.path = join(installed, manifest(installed).bin.varve)
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const inherited = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined }
    return spawn(process.execPath, [this.path, ...args], {
      cwd: this.directory,
      env: { ...inherited, ...env },
    })
  }

  run(args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ran> {
    return ended(this.start(args, env))
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

export function ended(child: ChildProcess): Promise<Ran> {
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr?.on('data', (data: Buffer) => (stderr += data.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}

function manifest(directory: string): { version: string; bin: { varve: string } } {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    version: string
    bin: { varve: string }
  }
}

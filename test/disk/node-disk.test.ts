import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, open, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isNetworkOnLinux, isNetworkOnMac } from '../../src/disk/network-file-system.ts'
import { nodeDisk } from '../../src/disk/node-disk.ts'
import { bytes, codeOf, diskContract, pattern, type Place } from './disk-contract.ts'

diskContract('NodeDisk', () => makePlace())
diskContract('NodeDisk in a directory with a long path', () => makePlace('long-'.repeat(40)))

async function makePlace(below = ''): Promise<Place> {
  const top = await realpath(await mkdtemp(join(tmpdir(), 'varve-disk-')))
  const root = join(top, below)
  await mkdir(root, { recursive: true })
  return { disk: nodeDisk, root, remove: () => rm(top, { recursive: true }) }
}

describe('NodeDisk', () => {
  let root: string
  beforeAll(async () => {
    root = (await makePlace()).root
  })
  afterAll(() => rm(root, { recursive: true }))

  test('a write of many chunks and many bytes arrives whole', async () => {
    const chunks = Array.from({ length: 2500 }, (_, index) => pattern(40_000, index))
    const file = await nodeDisk.create(join(root, 'large'))
    await file.write(chunks, 3)
    expect(await file.size()).toBe(3 + 2500 * 40_000)
    const read = await file.read(3, 2500 * 40_000)
    expect(Buffer.compare(read, Buffer.concat(chunks))).toBe(0)
    await file.close()
  })

  test.skipIf(process.platform !== 'linux')('where no directory can be made, that is said', async () => {
    await expect(nodeDisk.makeDirectory('/proc/varve/x')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test.skipIf(process.platform !== 'linux')('a write error says that nothing was written', async () => {
    const full = await nodeDisk.openToWrite('/dev/full')
    await expect(full.write([bytes(1, 2), bytes(3)], 0)).rejects.toMatchObject({ code: 'ENOSPC', written: 0 })
    await full.close()
  })

  test('short writes are continued, and an error after one tells how much arrived', async () => {
    // A process may write 100,000 bytes per file (ulimit -f, in blocks of 512 or 1,024), then gets EFBIG:
    // first a short write, then the error.
    const path = join(root, 'limited')
    const script = `
      process.on('SIGXFSZ', () => {})
      const { nodeDisk } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/disk/node-disk.ts'))})
      const file = await nodeDisk.create(${JSON.stringify(path)})
      const chunks = Array.from({ length: 30 }, () => new Uint8Array(10_000).fill(7))
      const error = await file.write(chunks, 0).catch((error) => error)
      console.log(JSON.stringify({ code: error.code, written: error.written, size: await file.size() }))`
    const { stdout } = await finished(
      spawn('bash', ['-c', `ulimit -f 100; exec "$@"`, 'bash', ...node(script)]),
    )
    const { code, written, size } = JSON.parse(stdout) as { code: string; written: number; size: number }
    expect(code).toBe('EFBIG')
    expect(written).toBeOneOf([51_200, 102_400])
    expect(size).toBe(written)
  })

  test('an announcement does not keep a process alive, and its file is no sign of life', async () => {
    const path = join(root, 'forgotten')
    const child = spawn(...command(`${announcing(path)}; console.log('announced')`))
    expect(await finished(child)).toMatchObject({ code: 0, stdout: 'announced\n' })
    expect(await readdir(root)).toContain('forgotten')
    expect(await nodeDisk.isAnnounced(path)).toBe(false)
    await (await nodeDisk.announce(path)).close()
  })

  test('a killed process is not heard, and its place can be taken at once', async () => {
    const path = join(root, 'killed')
    const child = await announced(path)
    expect(await nodeDisk.isAnnounced(path)).toBe(true)
    await killed(child)
    expect(await nodeDisk.isAnnounced(path)).toBe(false)
    const announcement = await nodeDisk.announce(path)
    expect(await nodeDisk.isAnnounced(path)).toBe(true)
    await announcement.close()
    expect(await readdir(root)).not.toContain('killed')
  })

  test('a stopped process is heard, however often it is asked', async () => {
    const path = join(root, 'stopped')
    const child = await announced(path)
    child.kill('SIGSTOP')
    try {
      for (let round = 0; round < 12; round++) {
        const answers = await Promise.all(Array.from({ length: 100 }, () => nodeDisk.isAnnounced(path)))
        expect(new Set(answers)).toEqual(new Set([true]))
      }
      expect(await codeOf(nodeDisk.announce(path))).toBe('EADDRINUSE')
    } finally {
      await killed(child)
    }
    expect(await nodeDisk.isAnnounced(path)).toBe(false)
  })

  test('a process too busy to answer is heard', async () => {
    const path = join(root, 'busy')
    const child = await announced(path, 'for (;;) {}')
    try {
      expect(await nodeDisk.isAnnounced(path)).toBe(true)
    } finally {
      await killed(child)
    }
  })

  test('of several that announce at one place at once, never is none heard', async () => {
    for (let round = 0; round < 20; round++) {
      const path = join(root, 'several')
      const results = await Promise.allSettled(Array.from({ length: 5 }, () => nodeDisk.announce(path)))
      expect(await nodeDisk.isAnnounced(path)).toBe(true)
      for (const result of results) if (result.status === 'fulfilled') await result.value.close()
    }
  })

  test.skipIf(process.platform !== 'linux')('the machine is this one', async () => {
    const boot = await open('/proc/sys/kernel/random/boot_id')
    const bootId = (await boot.readFile('utf8')).trim()
    await boot.close()
    const { pid, startedMs, ...machine } = await nodeDisk.machine()
    expect(machine).toEqual({ host: (await import('node:os')).hostname(), bootId })
    expect(pid).toBe(process.pid)
    expect(Math.abs(Date.now() - process.uptime() * 1000 - startedMs)).toBeLessThan(1000)
  })
})

describe('network file systems', () => {
  const mounts = [
    '22 27 0:21 / / rw,relatime shared:1 - ext4 /dev/vda rw',
    '30 22 0:30 / /home/me/cloud\\040drive rw - fuse.rclone remote: rw',
    '31 22 0:31 / /home/me/cloud\\040drive/local rw - fuse.mergerfs a:b rw',
    '32 22 0:32 / /twice rw - fuse.mergerfs a:b rw',
    '33 22 0:33 / /twice rw - fuse.sshfs host: rw',
  ].join('\n')

  test.each([
    { path: '/data', magic: 0xef53, network: false },
    { path: '/data', magic: 0x6969, network: true },
    { path: '/data', magic: 0xff534d42, network: true },
    { path: '/data', magic: 0xff534d42 | 0, network: true },
    { path: '/mnt/c', magic: 0x01021997, network: true },
    { path: '/home/me/cloud drive/x', magic: 0x65735546, network: true },
    { path: '/home/me/cloud drive/local', magic: 0x65735546, network: false },
    { path: '/home/me/cloud drives', magic: 0x65735546, network: true },
    { path: '/twice/x', magic: 0x65735546, network: true },
  ])('on Linux $path of type $magic: $network', ({ path, magic, network }) => {
    expect(isNetworkOnLinux(magic, path, mounts)).toBe(network)
  })

  test.each([
    { path: '/Users/me', network: false },
    { path: '/Volumes/share/x', network: true },
    { path: '/Volumes/my (old) disk', network: true },
  ])('on macOS $path: $network', ({ path, network }) => {
    const output = [
      '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)',
      '//me@host/share on /Volumes/share (smbfs, nodev, nosuid, mounted by me)',
      'host:/x on /Volumes/my (old) disk (nfs)',
    ].join('\n')
    expect(isNetworkOnMac(path, output)).toBe(network)
  })
})

function announcing(path: string): string {
  const module = JSON.stringify(join(import.meta.dirname, '../../src/disk/node-disk.ts'))
  return `const { nodeDisk } = await import(${module}); await nodeDisk.announce(${JSON.stringify(path)})`
}

/** A process that announces and stays, doing `then`. */
async function announced(path: string, then = 'setInterval(() => {}, 1000)'): Promise<ChildProcess> {
  const child = spawn(...command(`${announcing(path)}; process.stdout.write('announced', () => { ${then} })`))
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', () => reject(new Error('the announcing process ended')))
  })
  return child
}

function node(script: string): string[] {
  return [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', script]
}

function command(script: string): [string, string[]] {
  const [program, ...parameters] = node(script) as [string, ...string[]]
  return [program, parameters]
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => child.once('exit', resolve))
}

function finished(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    let stdout = ''
    let stderr = ''
    child.stdout!.on('data', (data) => (stdout += data))
    child.stderr!.on('data', (data) => (stderr += data))
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

// Follows where the operating system has no watcher left, as `fs.inotify.max_user_watches` has it: in a namespace of its own.
import { spawnSync } from 'node:child_process'
import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FollowerOrder } from './follower-child.ts'
import { smallShape } from './kill-variants.ts'
import { endChildren, startChild } from './processes.ts'
import type { WriterOrder } from './writer-child.ts'

const shell = (limit: string): string[] => [
  'unshare',
  '-Ur',
  'sh',
  '-c',
  `echo 0 > /proc/sys/user/max_inotify_${limit} && exec "$@"`,
  'sh',
]
const [command, ...parameters] = shell('watches')
const tried = spawnSync(command!, [...parameters, 'true'], { encoding: 'utf8' })
const canLimit = tried.status === 0
if (!canLimit)
  console.log(`Skipped: no limit can be set here (${tried.error?.message ?? tried.stderr.trim()}).`)

let directory: string
beforeEach(async () => (directory = await realpath(await mkdtemp(join(tmpdir(), 'varve-inotify-')))))
afterEach(async () => {
  await endChildren()
  await rm(directory, { recursive: true, force: true })
})

test.skipIf(!canLimit).each([
  ['watches', 'ENOSPC'],
  ['instances', 'EMFILE'],
])(
  'a follower that gets no inotify %s says so, and follows by looking',
  { timeout: 60_000 },
  async (limit, code) => {
    const [writer, follower] = await Promise.all([
      startChild('writer-child.ts'),
      startChild('follower-child.ts', shell(limit)),
    ])
    const order = {
      directory: join(directory, 'storage'),
      shape: smallShape,
      actor: 'the writer',
      commits: 300,
    }
    follower.order(order satisfies FollowerOrder)
    await follower.until('opened')
    writer.order({
      ...order,
      seed: 1,
      durability: 'commit',
      mode: 'persist',
      fromJson: false,
    } satisfies WriterOrder)
    await follower.until('done')
    const warnings = follower.reports.flatMap((each) => (each.is === 'warned' ? [each.warning] : []))
    expect(warnings).toEqual([
      expect.stringMatching(
        new RegExp(`${code}.*followed by looking every 100 ms.*max_user_watches and max_user_instances`),
      ),
    ])
  },
)

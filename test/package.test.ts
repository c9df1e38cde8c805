import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }

const ROOT = join(import.meta.dirname, '..')
const ALWAYS = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'package.json',
  'src/README.md',
  'src/interop/DIFFERENCES.md',
  'src/log/FAULTS.md',
  'src/log/FORMAT.md',
]

describe('the published package', () => {
  let packed: string[]

  beforeAll(() => {
    // Without scripts: `prepack` would rebuild dist under the feet of whatever else is running.
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
    const output = execFileSync('npm', args, {
      cwd: ROOT,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    })
    const [summary] = Object.values(JSON.parse(output) as Record<string, { files: { path: string }[] }>)
    packed = summary!.files.map((file) => file.path)
  })

  test('has its license, readme, changelog and format page', () => {
    expect(packed).toEqual(expect.arrayContaining(ALWAYS))
  })

  test('has nothing else but dist: no sources, tests or fixtures', () => {
    expect(packed.filter((path) => !ALWAYS.includes(path) && !path.startsWith('dist/'))).toEqual([])
    expect(packed.filter((path) => /fixtures?\/|\.test\.|^test\//.test(path))).toEqual([])
  })

  test('has every file its exports name', (context) => {
    context.skip(!existsSync(join(ROOT, 'dist')), 'dist is missing: run `npm run build` first')
    const targets = Object.values(packageJson.exports).flatMap((target) =>
      JSON.stringify(target).match(/\.\/[^"]+/g)!,
    )
    expect(packed).toEqual(expect.arrayContaining(targets.map((target) => target.replace('./', ''))))
  })
})

// `npm ci` must work against any registry, on any platform: an optional package of another platform that the lockfile
// lacks makes npm call the lockfile out of sync.
test('the lockfile names no registry and lacks no optional package', () => {
  type Locked = { resolved?: string; optionalDependencies?: Record<string, string> }
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>
  }
  const locked = Object.entries(packages)
  expect(locked.filter(([, entry]) => entry.resolved !== undefined).map(([path]) => path)).toEqual([])
  const optional = locked.flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).map((name) => ({ path, name })),
  )
  expect(optional.length).toBeGreaterThan(0)
  const lacking = optional.filter(
    ({ path, name }) => !(`${path}/node_modules/${name}` in packages || `node_modules/${name}` in packages),
  )
  expect(lacking).toEqual([])
})

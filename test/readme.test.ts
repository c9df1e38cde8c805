import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readmeProblems, typescriptBlocks } from './support/readme.ts'

const ROOT = join(import.meta.dirname, '..')

test('every TypeScript block of the README is a file of examples/, or a region of one', () => {
  const markdown = readFileSync(join(ROOT, 'README.md'), 'utf8')
  expect(typescriptBlocks(markdown).length).toBeGreaterThan(0)
  const problems = readmeProblems(markdown, (path) =>
    existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), 'utf8') : undefined,
  )
  expect(problems).toEqual([])
})

test('the README lists every error code, and no other', () => {
  const codesIn = (file: string, pattern: RegExp) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(pattern)].map(([, code]) => code!).toSorted()
  const known = codesIn('src/errors.ts', /^ {2}(VARVE_\w+):/gm)
  expect(known.length).toBeGreaterThan(30)
  expect(codesIn('README.md', /^\| `(VARVE_\w+)` \| .+ \| .+ \|$/gm)).toEqual(known)
  const named = codesIn('README.md', /(VARVE_\w+)/g)
  expect(named.filter((code) => !known.includes(code))).toEqual([])
})

test('the map in src/README.md lists every file of src, and no other', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const files = sources.map((file) => file.replaceAll('\\', '/')).filter((file) => /\.c?ts$/.test(file))
  const [, map = ''] = readFileSync(join(ROOT, 'src/README.md'), 'utf8').split('## Code map\n')
  const listed = map.split('\n### ').flatMap((section) => {
    const [folder = ''] = section.split('\n')
    const names = [...section.matchAll(/^\| `(\S+\.c?ts)` \| .+ \|$/gm)].map(([, name]) => name!)
    return names.map((name) => (folder === 'src/' ? name : folder + name))
  })
  const notListed = files.filter((file) => !listed.includes(file))
  const notThere = listed.filter((file) => !files.includes(file))
  expect({ notListed, notThere }).toEqual({ notListed: [], notThere: [] })
})

test.each(['README.md', 'src/README.md'])('every link of %s leads to a file', (page) => {
  const links = readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)\)/g)
  const targets = [...links].map(([, link]) => link!)
  expect(targets.filter((link) => !existsSync(join(ROOT, page, '..', link)))).toEqual([])
})

const EXAMPLE = 'first()\n\n  // region two\n  if (a) {\n    b()\n  }\n  // endregion\n'
const block = (comment: string, code: string) => `# Title\n\n${comment}\n\`\`\`ts\n${code}\n\`\`\`\n`

test.each<[name: string, markdown: string, problem: string | undefined]>([
  ['the whole file', block('<!-- examples/a.ts -->', EXAMPLE), undefined],
  ['a region, outdented', block('<!-- examples/a.ts#two -->', 'if (a) {\n  b()\n}'), undefined],
  ['a blank line after the comment', block('<!-- examples/a.ts#two -->\n', 'if (a) {\n  b()\n}'), undefined],
  ['another language', '```sh\nnpm install varve\n```\n', undefined],
  ['no comment', block('', 'b()'), 'README.md:4: no <!-- examples/FILE.ts -->'],
  ['no such file', block('<!-- examples/b.ts -->', 'b()'), 'examples/b.ts does not exist'],
  ['no such region', block('<!-- examples/a.ts#one -->', 'b()'), 'has no "// region one"'],
  [
    'a changed line',
    block('<!-- examples/a.ts#two -->', 'if (a) {\n  c()\n}'),
    'Line 2 of the block is "  c()", of the example "  b()"',
  ],
  [
    'a block with more lines',
    block('<!-- examples/a.ts#two -->', 'if (a) {\n  b()\n}\nc()'),
    'Line 4 of the block is "c()", of the example nothing more',
  ],
  [
    'a second block without a comment',
    block('<!-- examples/a.ts#two -->', 'if (a) {\n  b()\n}') + block('', 'b()'),
    'README.md:12: no <!--',
  ],
])('README check: %s', (_name, markdown, problem) => {
  const problems = readmeProblems(markdown, (path) => (path === 'examples/a.ts' ? EXAMPLE : undefined))
  expect(problems).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)])
})

/**
 * `npm run mutants`: puts each deliberate fault of `mutants.ts` into a copy of the tree and runs the tests that
 * should notice it. `--only WORDS` takes those whose name holds the words, `--jobs N` runs so many at once,
 * `--check` only looks whether every one can still be applied.
 */
import { parseArgs } from 'node:util'
import { mutants, type Mutant } from './mutants.ts'
import { runTests, type Outcome } from './suite.ts'
import { Tree } from './tree.ts'

/** For a mutant that none of its own tests kills. */
const fallback = [
  'test/journal',
  'test/log/frame',
  'test/log/segment',
  'test/log/store-log',
  'test/log/lock.test.ts',
  'test/mutants',
]

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    check: { type: 'boolean', default: false },
  },
})
const chosen = mutants.filter(({ name }) => values.only === undefined || name.includes(values.only))
const jobs = Math.max(1, Math.min(Number(values.jobs) || 1, chosen.length))
const started = Date.now()
const trees: Tree[] = []
/** Stays as it is. */
const clean = copy()
let fallbackIsSound: Promise<boolean> | undefined
process.on('exit', () => trees.forEach((tree) => tree.remove()))
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

process.exitCode = (await main()) ? 0 : 1

async function main(): Promise<boolean> {
  if (chosen.length === 0) return fail(`no mutant's name holds ${JSON.stringify(values.only)}`)
  if (!allApply(clean)) return false
  if (values.check) return true
  if (!(await soundPasses(clean))) return false

  const waiting = chosen.slice()
  let killed = 0
  const work = async (tree: Tree): Promise<void> => {
    for (let mutant = waiting.shift(); mutant; mutant = waiting.shift())
      if (await isKilled(tree, mutant)) killed++
  }
  await Promise.all(Array.from({ length: jobs }, () => work(copy(clean))))
  console.log(`mutants killed: ${killed} of ${chosen.length} (${secondsSince(started)} s)`)
  return killed === chosen.length
}

function copy(from?: Tree): Tree {
  const tree = new Tree(from?.directory)
  trees.push(tree)
  return tree
}

function allApply(tree: Tree): boolean {
  const misfits = chosen.flatMap((mutant) => {
    const misfit = tree.misfit(mutant)
    return misfit === undefined ? [] : [`cannot be applied: ${mutant.name}: ${misfit}`]
  })
  for (const misfit of misfits) console.error(misfit)
  console.log(`mutants that can be applied: ${chosen.length - misfits.length} of ${chosen.length}`)
  return misfits.length === 0
}

/** A test that fails anyway kills nothing, and one that does not exist neither. */
async function soundPasses(tree: Tree): Promise<boolean> {
  const begun = Date.now()
  const killers = [...new Set(chosen.flatMap((mutant) => mutant.killers))]
  const passed: string[] = []
  for (const named of [true, false]) {
    const selection = killers.filter((killer) => killer.includes(' > ') === named)
    if (selection.length === 0) continue
    const outcome = await runTests(tree.directory, selection, jobs)
    if (!isSound(outcome)) return false
    passed.push(...outcome.passed)
  }
  for (const killer of killers) {
    const [file, words = ''] = killer.split(' > ') as [string, string?]
    if (!passed.some((test) => test.startsWith(file) && test.includes(words)))
      return fail(`there is no test ${killer}`)
  }
  console.log(`without any mutant ${passed.length} tests pass (${secondsSince(begun)} s)`)
  return true
}

/** Looked at once, and only if it is needed: it takes minutes. */
function fallbackPasses(): Promise<boolean> {
  fallbackIsSound ??= runTests(copy(clean).directory, fallback).then(isSound)
  return fallbackIsSound
}

function isSound({ failed, trouble }: Outcome): boolean {
  if (trouble !== undefined) return fail(`without any mutant: ${trouble}`)
  return failed[0] ? fail(`without any mutant, ${failed[0].test} fails: ${failed[0].message}`) : true
}

async function isKilled(tree: Tree, mutant: Mutant): Promise<boolean> {
  const begun = Date.now()
  const say = (verdict: string): void => console.log(`${verdict} (${secondsSince(begun)} s)`)
  return tree.mutated(mutant, async () => {
    const troubles: string[] = []
    for (const selection of [...mutant.killers.map((killer) => [killer]), fallback]) {
      if (selection === fallback && !(await fallbackPasses())) break
      const outcome = await runTests(tree.directory, selection)
      const test = killerIn(outcome)
      if (test !== undefined) {
        say(`killed    ${mutant.name}: ${test}`)
        return true
      }
      if (outcome.trouble !== undefined) troubles.push(outcome.trouble)
    }
    say(`SURVIVED  ${mutant.name}${troubles.map((trouble) => `; ${trouble}`).join('')}`)
    return false
  })
}

/** A test that takes too long proves nothing: the machine may be busy. */
function killerIn({ failed }: Outcome): string | undefined {
  return failed.find(({ message }) => !message.includes('timed out in'))?.test
}

function fail(message: string): false {
  console.error(message)
  return false
}

function secondsSince(time: number): string {
  return ((Date.now() - time) / 1000).toFixed(1)
}

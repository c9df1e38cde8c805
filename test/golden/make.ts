/**
 * `tsx test/golden/make.ts` makes golden directories of the present format for recipes that have none. It is frozen: what stands is never made again, and
 * shows that what an earlier version wrote is read as it was meant.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { make, write, type Golden } from './golden.ts'
import { recipes } from './recipes.ts'

export const presentFormat = 'format-1'

/** All of them, without writing any. */
export async function makeAll(): Promise<Golden[]> {
  const all: Golden[] = []
  for (const [index, recipe] of recipes.entries()) all.push(await make(recipe, index + 1))
  return all
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL(`./${presentFormat}`, import.meta.url))
  for (const golden of await makeAll()) {
    if (existsSync(`${root}/${golden.name}`)) continue
    write(presentFormat, golden)
    const bytes = Array.from(golden.files.values()).reduce((sum, { length }) => sum + length, 0)
    console.log(
      `${golden.name}: ${golden.files.size} files, ${bytes} bytes, ${golden.commits.length} commits`,
    )
  }
  execFileSync('npx', ['oxfmt', root], { stdio: 'inherit' })
}

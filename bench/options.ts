/** What the benches are asked for, checked. */
export function sizesFrom(list: string): number[] {
  const sizes = list.split(',').map(Number)
  if (!sizes.every((size) => Number.isInteger(size) && size >= 100))
    refuse(`--nodes ${list} is no list of sizes. Give whole numbers from 100 on, such as --nodes 1000,10000.`)
  return sizes
}

/** `undefined`: each job as often as it says. */
export function roundsFrom(given: string | undefined): number | undefined {
  const rounds = given === undefined ? undefined : Number(given)
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0 && rounds <= 5))
    refuse(`--rounds ${given} is no number of rounds. Give a whole number from 1 to 5.`)
  return rounds
}

/** A whole number of at least so much. */
export function countFrom(option: string, given: string, least: number): number {
  const count = Number(given)
  if (!(Number.isInteger(count) && count >= least))
    refuse(`--${option} ${given} is not enough. Give a whole number from ${least} on.`)
  return count
}

export function refuse(message: string): never {
  console.error(message)
  process.exit(1)
}

/** What the benches are asked for, checked. */
export function sizesFrom(list: string): number[] {
  const sizes = list.split(',').map(Number)
  if (!sizes.every((size) => Number.isInteger(size) && size >= 100))
    refuse(`--nodes ${list} is no list of sizes. Give whole numbers from 100 on, such as --nodes 1000,10000.`)
  return sizes
}

export function refuse(message: string): never {
  console.error(message)
  process.exit(1)
}

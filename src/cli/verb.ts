/** What all verbs have in common: `varve VERB WHAT [DIR] [options]`, and one example each. */
import { InvalidArgumentError, type Command } from 'commander'

export const defaultDirectory = './storage'

/** A verb that makes a commit. */
export function writing(command: Command): Command {
  return command
    .option('-m, --message <message>', 'kept with the commit for good')
    .option('--actor <actor>', 'kept with the commit for good')
    .option('--json', 'the commit as JSON')
}

export function verb(varve: Command, name: string, description: string): Command {
  return varve
    .command(name)
    .description(description)
    .argument('[dir]', 'a persist directory', defaultDirectory)
}

export function example(command: string, remark: string): string {
  return `\nExample:\n  $ ${command}    # ${remark}`
}

export function toCount(value: string): number {
  const limit = Number(value)
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(limit))
    throw new InvalidArgumentError('It is not a whole number.')
  return limit
}

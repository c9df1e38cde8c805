/** The verbs that ask the history, or go back in it. */
import type { Command } from 'commander'
import { nodeDisk } from '../disk/node-disk.ts'
import { isStore } from '../history/history-key.ts'
import { restoreCommand, revertCommand, type BackCommandOptions } from './back-command.ts'
import { blameCommand } from './blame-command.ts'
import { catCommand, type CatCommandOptions } from './cat-command.ts'
import { diffCommand } from './diff-command.ts'
import { eraseCommand, type EraseCommandOptions } from './erase-command.ts'
import type { ExitCode } from './exit-code.ts'
import { logCommand, type LogCommandOptions } from './log-command.ts'
import { lsCommand, type LsCommandOptions } from './ls-command.ts'
import { showCommand } from './show-command.ts'
import { statsCommand } from './stats-command.ts'
import { tagCommand, tagsCommand, type TagCommandOptions } from './tag-command.ts'
import type { Terminal } from './terminal.ts'
import { defaultDirectory, example, toCount, verb, writing } from './verb.ts'
import { versionsCommand } from './versions-command.ts'
import { watchedDisk } from './watched-disk.ts'

/** What options say, without what stands beside them. */
type Asked<T> = Omit<T, 'terminal' | 'moment' | 'store' | 'key' | 'name'>

export function addHistoryVerbs(varve: Command, terminal: Terminal, answer: { code: ExitCode }): void {
  const disk = watchedDisk(nodeDisk, terminal)

  verb(varve, 'log', 'List the commits, the newest first.')
    .option('-n, --limit <count>', 'at most so many', toCount)
    .option('--since <moment>', 'after a number, HEAD~2, tag, hash or date')
    .option('--until <moment>', 'up to one')
    .option('--store <store>', 'that touched a store, such as docstore or vector_store/images')
    .option('--key <key>', 'that touched an id, or a triplet as a JSON list')
    .option('--actor <actor>', 'by somebody')
    .option('--json', 'one object a line')
    .addHelpText('after', example('varve log ./storage --limit 10', 'number, hash, time, actor, message'))
    .action(async (directory: string, options: Omit<LogCommandOptions, 'terminal'>) => {
      answer.code = await logCommand(disk, directory, { ...options, terminal })
    })

  verb(varve, 'show <commit>', 'Show one commit and what it touched.')
    .option('--json', 'as JSON')
    .addHelpText('after', example('varve show HEAD ./storage', 'also a number, tag, hash or date'))
    .action(async (moment: string, directory: string, options: { json?: boolean }) => {
      answer.code = await showCommand(disk, directory, { ...options, moment, terminal })
    })

  verb(varve, 'diff <a> <b>', 'Show what changed between two moments.')
    .option('--store <store>', 'in one store only')
    .option('--json', 'all values as JSON')
    .addHelpText('after', example('varve diff v1 HEAD ./storage', 'exit code 1: something differs'))
    .action(async (a: string, b: string, directory: string, options: { store?: string; json?: boolean }) => {
      answer.code = await diffCommand(disk, directory, { ...options, a, b, terminal })
    })

  verb(varve, 'versions <store> <key>', 'Show every value that a node, vector, struct or triplet had.')
    .option('--json', 'one object a line')
    .addHelpText(
      'after',
      example('varve versions docstore node-1 ./storage', 'exit code 1: it was never there'),
    )
    .action(async (store: string, key: string, directory: string, options: { json?: boolean }) => {
      answer.code = await versionsCommand(disk, directory, { ...options, store, key, terminal })
    })

  verb(varve, 'blame <store> <key>', 'Show for each field of a node or struct the commit that set it last.')
    .option('--json', 'one object a line')
    .addHelpText('after', example('varve blame docstore node-1 ./storage', 'exit code 1: nothing is there'))
    .action(async (store: string, key: string, directory: string, options: { json?: boolean }) => {
      answer.code = await blameCommand(disk, directory, { ...options, store, key, terminal })
    })

  varve
    .command('ls')
    .description('List the stores, or the keys of one store.')
    .argument('[store]', 'a store, such as docstore or vector_store/images')
    .argument('[dir]', `a persist directory (default: "${defaultDirectory}")`)
    .option('--at <moment>', 'as of a number, HEAD~2, tag, hash or date')
    .option('--json', 'one object a line')
    .addHelpText('after', example('varve ls docstore ./storage --at v1', 'all stores: varve ls ./storage'))
    .action(async (_store, _directory, options: Asked<LsCommandOptions>, { args }: Command) => {
      const { directory, store } = whatToList(args)
      answer.code = await lsCommand(disk, directory, { ...options, store, terminal })
    })

  verb(varve, 'cat <store> <key>', 'Print what one node, vector, struct, triplet or chat holds.')
    .option('--at <moment>', 'as of a number, HEAD~2, tag, hash or date')
    .option('--json', 'as JSON')
    .addHelpText('after', example('varve cat docstore node-1 ./storage', 'exit code 1: nothing is there'))
    .action(async (store: string, key: string, directory: string, options: Asked<CatCommandOptions>) => {
      answer.code = await catCommand(disk, directory, { ...options, store, key, terminal })
    })

  verb(varve, 'stats', 'Show how much there is, and how much of it is the past.')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      example('varve stats ./storage', 'keys, bytes, segments and snapshots of each store'),
    )
    .action(async (directory: string, options: { json?: boolean }) => {
      answer.code = await statsCommand(disk, directory, { ...options, terminal })
    })

  verb(varve, 'tags', 'List the tags and the commits they name.')
    .option('--json', 'one object a line')
    .addHelpText('after', example('varve tags ./storage', 'number and name'))
    .action(async (directory: string, options: { json?: boolean }) => {
      answer.code = await tagsCommand(disk, directory, { ...options, terminal })
    })

  writing(verb(varve, 'tag <name>', 'Give a moment a name.'))
    .option('--at <moment>', 'the moment; the present if left out')
    .option('--delete', 'take the name away')
    .addHelpText('after', example('varve tag v1 ./storage --at HEAD~2', 'then varve diff v1 HEAD'))
    .action(async (name: string, directory: string, options: Asked<TagCommandOptions>) => {
      answer.code = await tagCommand(disk, directory, { ...options, name, terminal })
    })

  writing(verb(varve, 'restore <moment>', 'Make the present hold what a moment held, in a new commit.'))
    .addHelpText('after', example('varve restore v1 ./storage', 'what came after v1 stays in the history'))
    .action(async (moment: string, directory: string, options: Asked<BackCommandOptions>) => {
      answer.code = await restoreCommand(disk, directory, { ...options, moment, terminal })
    })

  writing(verb(varve, 'revert <commit>', 'Take back what one commit did, in a new commit.'))
    .addHelpText(
      'after',
      example('varve revert HEAD ./storage', 'exit code 1: later commits touched the same keys'),
    )
    .action(async (moment: string, directory: string, options: Asked<BackCommandOptions>) => {
      answer.code = await revertCommand(disk, directory, { ...options, moment, terminal })
    })

  verb(varve, 'erase', 'Take documents or nodes out of the present and of every commit, for good.')
    .option('--ref-doc <id>', 'a document, with everything that came from it; may be repeated', also)
    .option('--node <id>', 'a node alone; what else speaks of it is listed; may be repeated', also)
    .requiredOption('--reason <text>', 'why; kept with the commit for good, so it must not say what')
    .option('--actor <actor>', 'kept with the commit for good')
    .option('--remove-imported', 'remove the JSON files that were imported, if they are unchanged')
    .option('--json', 'the whole report as JSON')
    .addHelpText(
      'after',
      example(
        "varve erase ./storage --ref-doc contract.pdf --reason 'request 17'",
        'exit code 1: something was not reached, and is named',
      ),
    )
    .action(async (directory: string, options: Asked<EraseCommandOptions>) => {
      answer.code = await eraseCommand(disk, directory, { ...options, terminal })
    })
}

/** One value a time: an option that took several would take the directory for one of them. */
function also(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** A store's name is no directory's: whoever has a directory of that name writes `./docstore`. */
function whatToList([first, second]: readonly string[]): { directory: string; store?: string } {
  if (second !== undefined) return { directory: second, store: first! }
  if (first === undefined || isStore(first))
    return { directory: defaultDirectory, ...(first !== undefined && { store: first }) }
  return { directory: first }
}

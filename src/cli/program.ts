/** The grammar: `varve VERB [DIR] [options]`. What a verb does stands in a file of its own. */
import { createRequire } from 'node:module'
import { Command, CommanderError, Option } from 'commander'
import { nodeDisk } from '../disk/node-disk.ts'
import { VarveError } from '../errors.ts'
import type { LlamaIndexDialect } from '../interop/llamaindex-content.ts'
import { checkpointCommand, type CheckpointCommandOptions } from './checkpoint-command.ts'
import type { ExitCode } from './exit-code.ts'
import { exportCommand } from './export-command.ts'
import { followCommand } from './follow-command.ts'
import { addHistoryVerbs } from './history-verbs.ts'
import { importCommand } from './import-command.ts'
import { plainText } from './plain-text.ts'
import { proveCommand, type ProveCommandOptions } from './prove-command.ts'
import { repairCommand } from './repair-command.ts'
import type { Terminal } from './terminal.ts'
import { unlockCommand } from './unlock-command.ts'
import { defaultDirectory, example, verb } from './verb.ts'
import { verifyCommand } from './verify-command.ts'
import { watchedDisk } from './watched-disk.ts'

export async function runProgram(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const answer: { code: ExitCode } = { code: 0 }
  try {
    await program(terminal, answer).parseAsync(args, { from: 'user' })
    return answer.code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof Error)) throw error
    terminal.complain(`${terminal.styleError('red', 'varve:')} ${plainText(error.message)}`)
    if (error instanceof VarveError && error.code === 'VARVE_CORRUPT')
      terminal.complain('`varve verify` says what is damaged, `varve repair` saves what is good.')
    if (!(error instanceof VarveError) && error.name !== 'AbortError') terminal.complain(error.stack ?? '')
    return error instanceof VarveError && isAnswer(error) ? 1 : 2
  } finally {
    terminal.status('')
  }
}

/** It is not so, or cannot be had: the question itself was good. */
function isAnswer({ code }: VarveError): boolean {
  return code === 'VARVE_NOT_PROVEN' || code === 'VARVE_REVERT_CONFLICT'
}

function program(terminal: Terminal, answer: { code: ExitCode }): Command {
  const varve = new Command('varve')
    .description('Looks after directories that Varve persists to.')
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.write(text, 'output'),
      writeErr: (text) => terminal.write(text, 'errors'),
    })
    .showHelpAfterError('(varve --help lists all verbs)')
  varve.addHelpText(
    'after',
    '\nExit codes: 0 yes, 1 no (damaged, locked, something lost, something differs, not proven), 2 the question could not be asked.',
  )

  verb(varve, 'verify', 'Read every byte and say what is intact, what is damaged and where.')
    .option('--against <kept>', 'what was kept elsewhere: NUMBER:HASH, or the file of a checkpoint')
    .option('--vkey <key>', 'the key that must have signed that checkpoint')
    .option('--json', 'the whole report as JSON')
    .addHelpText(
      'after',
      example('varve verify ./storage', 'exit code 0: intact, 1: damaged, 2: could not look'),
    )
    .action(async (directory: string, options: { against?: string; vkey?: string; json?: boolean }) => {
      answer.code = await verifyCommand(nodeDisk, directory, { ...options, terminal })
    })

  verb(varve, 'repair', 'Write every good commit to a new directory and say what could not be carried over.')
    .requiredOption('--to <new>', 'the new directory; DIR itself is not changed')
    .option('--json', 'the whole report as JSON')
    .addHelpText(
      'after',
      example('varve repair ./storage --to ./repaired', 'exit code 1: something was lost'),
    )
    .action(async (directory: string, options: { to: string; json?: boolean }) => {
      answer.code = await repairCommand(nodeDisk, directory, { ...options, terminal })
    })

  verb(varve, 'import', 'Commit the files of LlamaIndex, of Python or TypeScript, and say what was found.')
    .option('--to <new>', 'a new or empty directory; without it, beside the files, which are not changed')
    .option('--json', 'the whole report as JSON')
    .addHelpText(
      'after',
      example('varve import ./storage --to ./varve', 'exit code 1: something did not fit, and is named'),
    )
    .action(async (directory: string, options: { to?: string; json?: boolean }) => {
      answer.code = await importCommand(nodeDisk, directory, { ...options, terminal })
    })

  verb(varve, 'export', 'Write everything as the files of LlamaIndex, for Python or TypeScript.')
    .addOption(
      new Option('--format <language>', 'whose LlamaIndex will read it')
        .choices(['python', 'typescript'])
        .makeOptionMandatory(),
    )
    .requiredOption('--to <new>', 'a new or empty directory; DIR itself is not changed')
    .option('--json', 'the whole report as JSON')
    .addHelpText(
      'after',
      example(
        'varve export ./storage --format python --to ./for-python',
        'exit code 1: the format had no place for something',
      ),
    )
    .action(async (directory: string, options: { to: string; format: LlamaIndexDialect; json?: boolean }) => {
      answer.code = await exportCommand(nodeDisk, directory, { ...options, terminal })
    })

  verb(
    varve,
    'unlock',
    'Say who holds the lock, and take it away from one that is dead or, with --force, stuck.',
  )
    .option('--force', 'even if it lives: what it has not persisted is lost to it')
    .option('--json', 'as JSON')
    .addHelpText('after', example('varve unlock ./storage', 'exit code 1: somebody living holds it'))
    .action(async (directory: string, options: { force?: boolean; json?: boolean }) => {
      answer.code = await unlockCommand(nodeDisk, directory, { ...options, terminal })
    })

  verb(varve, 'follow', 'Print commits as they come, until interrupted.')
    .option('--from <moment>', 'after a number, tag, hash, date or token of a change; or start', 'now')
    .option('--json', 'one object a line, with the keys that each commit touched')
    .addHelpText('after', example('varve follow ./storage --json', 'Ctrl-C ends it, with exit code 0'))
    .action(async (directory: string, options: { from: string; json?: boolean }) => {
      answer.code = await followCommand(nodeDisk, directory, { ...options, terminal })
    })

  verb(varve, 'checkpoint', 'Sign how many commits there are, and which: to be kept elsewhere.')
    .requiredOption('--key <file>', 'the file of the key to sign with')
    .option('--out <file>', 'where to write it, instead of printing it')
    .option('--origin <name>', 'what to call this journal, always the same; varve/ID unless given')
    .option('--new-key <name>', 'only make a key of this name, and put it in the file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      example('varve checkpoint ./storage --key varve.key', 'a signed note: c2sp.org/tlog-checkpoint'),
    )
    .action(async (directory: string, options: Omit<CheckpointCommandOptions, 'terminal'>) => {
      answer.code = await checkpointCommand(watchedDisk(nodeDisk, terminal), directory, {
        ...options,
        terminal,
      })
    })

  varve
    .command('prove')
    .description('Prove that a commit is in the history that a checkpoint saw.')
    .argument('[commit]', "the commit's number")
    .argument('[dir]', `a persist directory (default: "${defaultDirectory}")`)
    .requiredOption('--against <file>', 'the checkpoint')
    .option('--since <file>', 'instead of a commit: that all which this older checkpoint saw is still there')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      example('varve prove 7 ./storage --against checkpoint.txt', 'c2sp.org/tlog-proof; exit code 1: not so'),
    )
    .action(async (_first, _second, options: ProveOptions, command: Command) => {
      const { directory, what } = whatToProve(command, options.since)
      answer.code = await proveCommand(watchedDisk(nodeDisk, terminal), directory, {
        ...options,
        what,
        terminal,
      })
    })
  addHistoryVerbs(varve, terminal, answer)
  return varve
}

type ProveOptions = Pick<ProveCommandOptions, 'against' | 'json'> & { since?: string }

/** The directory may be left out, the commit may not. */
function whatToProve(
  command: Command,
  since: string | undefined,
): { directory: string; what: ProveCommandOptions['what'] } {
  const words = [...command.args]
  const commit = since === undefined ? words.shift() : undefined
  const [directory = defaultDirectory, ...more] = words
  if (more.length > 0) command.error('error: with --since there is no commit to name')
  if (since !== undefined) return { directory, what: { since } }
  if (commit === undefined || !/^[1-9]\d{0,14}$/.test(commit))
    return command.error(`error: the commit to prove is missing: '${commit ?? ''}' is not the number of one`)
  return { directory, what: { commit: Number(commit) } }
}

function version(): string {
  const manifest = createRequire(import.meta.url)('../../package.json') as { version: string }
  return manifest.version
}

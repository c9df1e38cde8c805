/** Deliberate faults of erasing. */
import type { Mutant } from './mutants.ts'

const journal = (words: string): string => `test/journal/erase.test.ts > ${words}`
const context = (words: string): string => `test/context/erase.test.ts > ${words}`
const verified = 'test/history/erase.test.ts'

const erasing = 'journal/erasing.ts'
const overwrite = 'journal/overwrite.ts'
const completed = journal('is completed by the next writer')

export const eraseMutants: Mutant[] = [
  {
    name: 'an erase overwrites before its commit',
    file: erasing,
    find: "const [restated] = outbox.take('erase', note)",
    replace:
      "await overwriteErased(session, new Set([number]), async () => {})\n    const [restated] = outbox.take('erase', note)",
    killers: [completed],
  },
  {
    name: 'an erase without an end stays so',
    file: 'journal/residence.ts',
    find: 'await finishErasures(session)',
    replace: 'if (!session) await finishErasures(session)',
    killers: [completed],
  },
  {
    name: 'an erase says that it is finished before it overwrites',
    file: erasing,
    find: 'await overwriteErased(session, unfinished, async () => {',
    replace:
      "await queue.push({ kind: 'erase finished', note: {}, changes: ledger.changes([erasuresFinished(through)]), names: {} })\n    await overwriteErased(session, unfinished, async () => {",
    killers: [completed],
  },
  {
    name: 'an erase drops no snapshot',
    file: overwrite,
    find: 'if (knows) await disk.unlink(joinPath(folder, name))',
    replace: '',
    killers: [journal('drops the snapshots')],
  },
  {
    name: 'an erase drops no unfinished snapshot',
    file: overwrite,
    find: ": name.endsWith('.new')",
    replace: ': false',
    killers: [journal('drops the snapshots')],
  },
  {
    name: 'a snapshot from before an erase is read',
    file: 'journal/folded-store.ts',
    find: 'if (erasures.spoils(store.folder, Math.max(commit, known)))',
    replace: 'if (commit < 0)',
    killers: [completed],
  },
  {
    name: 'a snapshot made anew after an erase is read by who does not know it',
    file: 'journal/folded-store.ts',
    find: 'if (known > erasures.through)',
    replace: 'if (commit < 0)',
    killers: [journal('a reader')],
  },
  {
    name: 'what an erase made anew is not read',
    file: 'journal/remade-snapshots.ts',
    find: 'new Map([knownErasures(known)])',
    replace: 'new Map([knownErasures(0 * known)])',
    killers: [journal('reads the past from the snapshots that were made anew')],
  },
  {
    name: 'an erase leaves what no commit names',
    file: overwrite,
    find: 'const ranges = await unnamedRanges(log)',
    replace: 'const ranges = new Map<string, Range[]>()\n  if (commits.size < 0) await unnamedRanges(log)',
    killers: [journal('takes what no commit names')],
  },
  {
    name: 'an erase overwrites rows and leaves payloads',
    file: overwrite,
    find: 'if (length > 0) ranges.push(',
    replace: 'if (length < 0) ranges.push(',
    killers: [journal('leaves no trace')],
  },
  {
    name: 'an erase overwrites payloads and leaves rows',
    file: overwrite,
    find: 'ranges.push([cell, end])',
    replace: '',
    killers: [journal('leaves no trace')],
  },
  {
    name: 'an erase does not sync what it overwrites',
    file: overwrite,
    find: 'await file.sync()',
    replace: '',
    killers: [completed],
  },
  {
    name: 'an erase does not sync that snapshots are gone',
    file: overwrite,
    find: '  await disk.syncDirectory(folder)\n}',
    replace: '}',
    killers: [journal('drops the snapshots')],
  },
  {
    name: 'a displaced writer goes on with its erase',
    file: erasing,
    find: 'if (!(await lock.stillHeld())) throw displaced()',
    replace: 'if (!lock) throw displaced()',
    killers: [journal('of a displaced writer')],
  },
  {
    name: 'a reader does not look for an erase that it has not seen',
    file: 'journal/home.ts',
    find: 'this.files.erasures = now.files.erasures',
    replace: 'if (this.directory) return false\n    this.files.erasures = now.files.erasures',
    killers: [journal('a reader')],
  },
  {
    name: 'a reader keeps states that hold what an erase took',
    file: 'journal/take-up.ts',
    find: 'if (erases) {',
    replace: 'if (erases && commits.length < 0) {',
    killers: [journal('takes an erase up')],
  },
  {
    name: 'a reader takes what is erased while it looks for torn',
    file: 'log/recovery.ts',
    find: 'kept.fault !== undefined &&',
    replace: 'kept.fault === null &&',
    killers: [journal('that opens while something is erased')],
  },
  {
    name: 'an erased row is folded',
    file: 'journal/read-events.ts',
    find: 'item.erasedBy !== undefined || (isWanted',
    replace: '(isWanted',
    killers: [journal('leaves no trace')],
  },
  {
    name: 'an erase that fails is remembered as done',
    file: erasing,
    find: 'files.erasures.forget(number)',
    replace: '',
    killers: [journal('by a full disk')],
  },
  {
    name: 'an erase leaves the mentions in relationships',
    file: 'history/erase.ts',
    find: '(related.length > 0 && this.#isWhole)',
    replace: 'false',
    killers: [context('loses every mention')],
  },
  {
    name: 'an erase of many nodes looks for none of them',
    file: 'history/sought-text.ts',
    find: 'if (texts.size > mostSought) return () => true',
    replace: 'if (texts.size > mostSought) return () => false',
    killers: [context('of a document with many nodes')],
  },
  {
    name: 'damage beside an erased item keeps everyone from overwriting it',
    file: overwrite,
    find: '{ rows: false }',
    replace: '{ rows: true }',
    killers: [`${verified} > an erase without an end`],
  },
  {
    name: 'an erase leaves triplets',
    file: 'history/condemned.ts',
    find: 'triplets: new Set(tripletsOnlyFrom(survey, ids)),',
    replace: 'triplets: new Set(),',
    killers: [context('kg')],
  },
  {
    name: 'an erase leaves summaries of nothing else',
    file: 'history/erase.ts',
    find: 'if (isWhole) addSummaries(survey, ids)',
    replace: 'if (!isWhole) addSummaries(survey, ids)',
    killers: [context('tree')],
  },
  {
    name: 'an erase takes a node that belongs to another document by now',
    file: 'history/erase.ts',
    find: '...owned.filter((id) => !others.has(id))',
    replace: '...owned',
    killers: [context('keeps a node that belongs')],
  },
  {
    name: 'an erase sets nothing anew',
    file: 'history/erase.ts',
    find: 'keys: Array.from(keys, fromText),',
    replace: 'keys: [],',
    killers: [context('loses every mention')],
  },
  {
    name: 'an erase removes imported files that were changed',
    file: 'context/imported-files.ts',
    find: 'if (remove && isSame) {',
    replace: 'if (remove) {',
    killers: [context('keeps what was changed since')],
  },
  {
    name: 'an erase leaves its stores without snapshots',
    file: 'journal/journal.ts',
    find: 'this.#snapshots.remake(this.#fold, session)',
    replace: '',
    killers: [journal('leaves a new snapshot')],
  },
  {
    name: 'an erase is reverted',
    file: 'context/storage-history.ts',
    find: 'refuseErasing(reverted)',
    replace: '',
    killers: [context('cannot be reverted')],
  },
  {
    name: 'verify does not mind bytes that are back after an erase',
    file: 'history/inspection.ts',
    find: 'if (found.isFinished) this.damages.returned(',
    replace: 'if (!found) this.damages.returned(',
    killers: [verified],
  },
  {
    name: 'verify learns of no erase',
    file: 'history/inspection.ts',
    find: 'await this.#learnErasures()',
    replace: 'if (!this.#survey) await this.#learnErasures()',
    killers: [verified],
  },
  {
    name: 'repair carries over the places of an erase',
    file: 'history/carry-commits.ts',
    find: 'items.length === 0 || isPlaceless(folder, frame)',
    replace: 'items.length === 0',
    killers: [verified],
  },
]

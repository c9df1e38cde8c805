/** Deliberate faults of what asks the history, goes back in it, and proves it. */
import type { Mutant } from './mutants.ts'

const asked = (words: string): string => `test/context/storage-history.test.ts > ${words}`
const opened = (words: string): string => `test/context/history-proof.test.ts > ${words}`
const proven = (words: string): string => `test/history/prove.test.ts > ${words}`
const paged = (words: string): string => `test/context/snapshot-pages.test.ts > ${words}`
const verified = 'test/history/verify.test.ts'
const repaired = 'test/history/repair.test.ts'

const difference = 'history/difference.ts'
const versions = 'history/versions.ts'
const about = 'history/events-about.ts'
const family = 'history/key-family.ts'
const state = 'history/state-about.ts'
const prove = 'history/prove.ts'
const context = 'context/storage-history.ts'
const touched = 'history/touched-between.ts'
const restoring = 'history/restoring-events.ts'

const asking: Mutant[] = [
  {
    name: 'the log takes the moment after which it begins',
    file: 'history/log.ts',
    find: '(await resolveMoment(log, since)) + 1',
    replace: 'await resolveMoment(log, since)',
    killers: [asked('log takes')],
  },
  {
    name: 'the log forgets that some events are about every key',
    file: 'history/log.ts',
    find: '(each.isWhole || each.keys.has(key))',
    replace: 'each.keys.has(key)',
    killers: [asked('finds what touched every key')],
  },
  {
    name: 'a key that touches another store is found in this one',
    file: 'history/log.ts',
    find: '(!folder || each.folder === folder) && ',
    replace: '',
    killers: [asked('finds a key in the store that was asked for only')],
  },
  {
    name: 'a diff misses removed keys',
    file: difference,
    find: 'if (found) yield',
    replace: "if (found && found.change !== 'removed') yield",
    killers: [asked('diff backwards')],
  },
  {
    name: 'a diff lists what was changed and changed back',
    file: difference,
    find: 'return paths.length > 0',
    replace: 'return before !== undefined || after !== undefined',
    killers: [asked('diff leaves out what was changed and changed back')],
  },
  {
    name: 'a diff of a struct looks at what was set only',
    file: 'history/struct-paths.ts',
    find: "'key' in change ? change.key : undefined",
    replace: "change.op === 'set' || change.op === 'add' ? change.key : 'none'",
    killers: [asked('diff of index structs'), 'properties/a-diff-applied'],
  },
  {
    name: 'a diff backwards sees nothing',
    file: difference,
    find: 'a <= b ? [a, b] : [b, a]',
    replace: '[a, b]',
    killers: [asked('diff backwards')],
  },
  {
    name: 'a diff does not know what a clearing took',
    file: touched,
    find: 'addAll(state as VectorState, keys)',
    replace: '',
    killers: [asked('diff of a clearing')],
  },
  {
    name: 'a ref doc that goes with its last node is not touched',
    file: touched,
    find: 'if (refDocId !== undefined) keys.add(toText(refDocId))',
    replace: '',
    killers: [
      asked('that nodes come from'),
      'test/context/storage-history.test.ts',
      'properties/a-diff-applied',
    ],
  },
  {
    name: 'versions lose a deletion',
    file: versions,
    find: 'if (changedPaths(before, tree).length === 0) continue',
    replace: 'if (tree === undefined || changedPaths(before, tree).length === 0) continue',
    killers: [asked('versions are every value')],
  },
  {
    name: 'versions repeat what did not change',
    file: versions,
    find: 'if (changedPaths(before, tree).length === 0) continue',
    replace: '',
    killers: [asked('versions leave out')],
  },
  {
    name: 'versions do not read what came before the first list of what was touched',
    file: about,
    find: 'if (touched.after >= next)',
    replace: 'if (touched.after > to)',
    killers: [asked('are found without the lists')],
  },
  {
    name: 'versions end with the last list of what was touched',
    file: about,
    find: 'if (next <= to) yield*',
    replace: 'if (next < 0) yield*',
    killers: [asked('versions are every value')],
  },
  {
    name: 'versions do not find what a list knows',
    file: 'journal/touched-index.ts',
    find: 'pairs[pair * 2 + 1]! >= hash)',
    replace: 'pairs[pair * 2 + 1]! > hash)',
    killers: [asked('are found without the lists'), 'properties/versions-equal-as-of'],
  },
  {
    name: 'versions pass over commits that can have touched the key',
    file: 'history/sought-text.ts',
    find: 'this.spellings = [...new Set([text, escapeText(text)])]',
    replace: 'this.spellings = [text]',
    killers: [asked('however the key is spelled there')],
  },
  {
    name: 'a ref doc has only the versions that name it',
    file: family,
    find: 'if (source !== undefined && this.#members.has(source)) this.#add(own!)',
    replace: '',
    killers: [asked('that nodes come from')],
  },
  {
    name: 'what came before a node joined the family of its ref doc does not count',
    file: about,
    find: 'while (family.size > size)',
    replace: 'while (false)',
    killers: [asked('whose node was a document itself'), 'properties/a-diff-applied'],
  },
  {
    name: 'a ref doc begins without the nodes that a snapshot gives it',
    file: family,
    find: 'for (const id of this.#start.refDocs.get(key as string)?.nodeIds ?? []) this.#add(toText(id))',
    replace: '',
    killers: [asked('diff after a snapshot reads')],
  },
  {
    name: 'a diff does not know the ref doc that a snapshot gives a node',
    file: family,
    find: 'if (source !== undefined) this.#add(toText(source))',
    replace: '',
    killers: [asked('diff after a snapshot knows the ref docs')],
  },
  {
    name: 'a diff does not know the ref doc that a node came to after the snapshot',
    file: family,
    find: 'if (isOwn && this.#start && source !== undefined) this.#add(source)',
    replace: '',
    killers: [asked('diff after a snapshot knows the ref docs')],
  },
  {
    name: 'a diff begins with a snapshot of later commits',
    file: state,
    find: 'subject === folder && commit <= number)',
    replace: 'subject === folder)',
    killers: [asked('diff after a snapshot reads'), 'properties/a-diff-applied'],
  },
  {
    name: 'a diff closes a snapshot before all that it asks of it was looked at',
    file: state,
    find: 'for (const key of family.keys()) rowsOf(folder, state, fromText(key))',
    replace: '',
    killers: [paged('a diff reads the pages')],
  },
  {
    name: 'a diff leaves snapshots open',
    file: state,
    find: 'await store.unread?.close()',
    replace: '',
    killers: [paged('a diff')],
  },
  {
    name: 'a diff minds a damaged page',
    file: state,
    find: 'if (!(error instanceof UnusableSnapshot)) throw error',
    replace: 'throw error',
    killers: [paged('a diff does not mind')],
  },
  {
    name: 'a diff reads snapshots whole',
    file: state,
    find: 'isWhole ? [true] : [false, true]',
    replace: '[true]',
    killers: [paged('a diff reads the pages')],
  },
  {
    name: 'a diff does not read a snapshot whole that it cannot look at',
    file: state,
    find: 'isWhole ? [true] : [false, true]',
    replace: 'isWhole ? [true] : [false]',
    killers: [paged('a diff does not mind')],
  },
  {
    name: 'blame names the commit that touched a field last, changed or not',
    file: versions,
    find: 'known && isDeepStrictEqual(known.leaf, leaf) ? known : { leaf, commit }',
    replace: '{ leaf, commit }',
    killers: [asked('blame names')],
  },
  {
    name: 'blame names the commit that set a field first',
    file: versions,
    find: 'known && isDeepStrictEqual(known.leaf, leaf) ? known : { leaf, commit }',
    replace: 'known ?? { leaf, commit }',
    killers: [asked('blame names')],
  },
]

const goingBack: Mutant[] = [
  {
    name: 'a revert ignores later commits',
    file: context,
    find: 'await this.#refuseConflicts(number)',
    replace: '',
    killers: [asked('revert refuses')],
  },
  {
    name: 'a revert takes back the commit before, too',
    file: context,
    find: 'return { from: number, to: number }',
    replace: 'return { from: Math.max(1, number - 1), to: number }',
    killers: [asked('revert appends the inverse')],
  },
  {
    name: 'a restore skips a store',
    file: context,
    find: 'of await touchedBetween(log, range)) {',
    replace: 'of Array.from(await touchedBetween(log, range)).slice(1)) {',
    killers: [asked('restore makes the present')],
  },
  {
    name: 'a restore drops what was pending',
    file: context,
    find: 'await this.#handle.persist({})',
    replace: '',
    killers: [asked('restore commits what is pending')],
  },
  {
    name: 'a restore adds, and removes nothing',
    file: restoring,
    find: 'yield* inGroups(gone, nodesDeleted)',
    replace: '',
    killers: [asked('restore commits what is pending')],
  },
  {
    name: 'a restore brings records back without their nodes',
    file: restoring,
    find: 'const nodes = past.state.nodes.entriesOf(all).filter(([id]) => !isThere(id))',
    replace:
      'const nodes = past.state.nodes.entriesOf(all).filter(([id]) => !isThere(id) && now.state.nodes.has(id))',
    killers: [asked('restore makes the present')],
  },
  {
    name: 'a restore leaves the order of triplets to chance',
    file: restoring,
    find: 'const isPrefix = kept.every((triplet, index) => toText(triplet) === toText(wanted[index]!))',
    replace: 'const isPrefix = true',
    killers: [asked('restore gives triplets back their order')],
  },
  {
    name: 'a tag is given twice',
    file: context,
    find: 'if (taken !== undefined)',
    replace: 'if (taken === -1)',
    killers: [asked('are not given twice')],
  },
]

const proving: Mutant[] = [
  {
    name: 'a checkpoint covers what a crash may take back',
    file: prove,
    find: 'Math.min(hashes.length, Math.max(read.durable, durable, before?.size ?? 0))',
    replace: 'hashes.length',
    killers: [proven('beside a living writer too')],
  },
  {
    name: 'a checkpoint of a context covers what is only buffered',
    file: context,
    find: 'durable: this.#journal.syncedThrough',
    replace: 'durable: Infinity',
    killers: [opened('does not sign what is only buffered')],
  },
  {
    name: 'a checkpoint contradicts the one before',
    file: prove,
    find: 'if (before) mustHaveSeen(hashes, before, directory)',
    replace: '',
    killers: [proven('never contradicts the one before')],
  },
  {
    name: 'a proof is of the commit after',
    file: prove,
    find: 'inclusionPath(hashes, commit - 1, seen.size)',
    replace: 'inclusionPath(hashes, Math.min(commit, seen.size - 1), seen.size)',
    killers: [proven('shows each commit')],
  },
  {
    name: 'a proof names the commit after',
    file: 'history/inclusion-proof.ts',
    find: '`index ${number - 1}`',
    replace: '`index ${number}`',
    killers: [proven('shows each commit')],
  },
  {
    name: 'a proof is of a history that the checkpoint did not see',
    file: prove,
    find: 'mustHaveSeen(hashes, seen, directory)',
    replace: '',
    killers: [proven('is none of a history that was rewritten')],
  },
  {
    name: 'two checkpoints are consistent whatever the older one saw',
    file: 'history/merkle-tree.ts',
    find: 'climb.isAtRoot && isEqual(oldHash, old.root) && isEqual(hash, root)',
    replace: 'climb.isAtRoot && isEqual(hash, root)',
    killers: ['test/history/merkle-tree.test.ts > a bit of the old root'],
  },
  {
    name: 'a proof of consistency is not held against its checkpoints',
    file: 'history/consistency-proof.ts',
    find: 'size === before.size && isConsistent({ ...after, old: before, path })',
    replace: 'size === before.size',
    killers: ['test/history/checkpoint.test.ts', 'properties/every-proof'],
  },
  {
    name: 'a proof that is too short is one',
    file: 'history/merkle-tree.ts',
    find: 'return climb.isAtRoot && isEqual(hash, root)',
    replace: 'return isEqual(hash, root)',
    killers: ['test/history/merkle-tree.test.ts'],
  },
  {
    name: 'one good signature hides a bad one of the same key',
    file: 'history/signed-note.ts',
    find: 'own.every(',
    replace: 'own.some(',
    killers: ['test/history/signed-note.test.ts > if any signature of the key does not'],
  },
  {
    name: 'a history that was rewritten below a known hash counts as anchored',
    file: 'history/anchor.ts',
    find: 'return isLinked && ',
    replace: 'return ',
    killers: [proven('finds a break')],
  },
  {
    name: 'a history that was cut short counts as rewritten',
    file: 'history/anchor.ts',
    find: "if (number > last) return 'cut short'",
    replace: '',
    killers: [proven('finds a cut')],
  },
]

const verifying: Mutant[] = [
  {
    name: "verify ignores a snapshot's difference",
    file: 'history/inspection.ts',
    find: "if (snapshot.state === 'differs') this.damages.snapshot(snapshot)",
    replace: '',
    killers: [verified],
  },
  {
    name: 'verify believes a snapshot whose keys cannot be found',
    file: 'journal/table.ts',
    find: 'if (at !== base.count || !base.findsAll()) return false',
    replace: 'if (at !== base.count) return false',
    killers: ['test/journal/table.test.ts'],
  },
  {
    name: 'verify believes a snapshot with other values',
    file: 'journal/table-base.ts',
    find: 'if (value[i] !== values[start + i]) return false',
    replace: 'continue',
    killers: ['test/journal/table.test.ts'],
  },
  {
    name: 'verify believes a snapshot with other keys of the same hash',
    file: 'journal/table-base.ts',
    find: 'if (unit !== keys[shift + i]) return false',
    replace: '',
    killers: ['test/journal/table.test.ts'],
  },
  {
    name: 'verify reads what is ahead for what is at hand',
    file: 'history/steady-file.ts',
    find: 'this.#turnTo(end, ahead)',
    replace: 'this.#turnTo(offset, ahead)',
    killers: ['test/history/steady-file.test.ts'],
  },
  {
    name: 'verify believes a catalog',
    file: 'history/catalog-replay.ts',
    find: "return isSameCatalog(catalog, this.#catalog) ? 'equal' : 'differs'",
    replace: "return 'equal'",
    killers: [verified],
  },
  {
    name: 'verify compares snapshots behind lost commits',
    file: 'history/inspection.ts',
    find: 'isBehindLoss: commit >= behindLoss',
    replace: 'isBehindLoss: false',
    killers: [verified],
  },
  {
    name: 'verify takes for torn what a snapshot was made of',
    file: 'history/inspection.ts',
    find: 'return number <= (await promisedDespite(number, this.#reader, this.#survey))',
    replace: 'return number <= this.#survey.syncedThrough',
    killers: ['test/history/verify.test.ts > was durable, and is damage'],
  },
  {
    name: 'verify leaves undone what a thread could not do',
    file: 'history/inspect-stores.ts',
    find: 'return void waiting.unshift(task)',
    replace: 'return',
    killers: ['test/history/inspection-threads.test.ts > that cannot begin'],
  },
  {
    name: 'verify believes a list of what was touched',
    file: 'history/store-replay.ts',
    find: 'touched.covers(TouchedFrames.from(this.#texts.toSections(touched.after))!)',
    replace: 'true',
    killers: [verified],
  },
  {
    name: 'verify believes a chain without its links',
    file: 'history/commit-chain.ts',
    find: '} else if (!Buffer.from(commit.previous).equals(this.#last.hash)) {',
    replace: '} else if (commit.previous.length !== 32) {',
    killers: [verified],
  },
  {
    name: 'verify believes parts without their digests',
    file: 'history/part-scan.ts',
    find: 'if (this.#lost > 0 || this.#digest.meets(digest)) return undefined',
    replace: 'return undefined',
    killers: [verified],
  },
  {
    name: 'verify takes what is torn for damage',
    file: 'history/journal-survey.ts',
    find: 'const faults = chain.faults.filter(({ at }) => at <= proven)',
    replace: 'const faults = chain.faults',
    killers: [verified],
  },
  {
    name: 'verify says that a store is safe where commits are lost',
    file: 'history/inspection.ts',
    find: 'if (lost) for (const store of this.stores.values()) this.#damage(store, lost)',
    replace: 'continue',
    killers: [verified],
  },
  {
    name: 'a repair carries what no digest vouches for',
    file: 'history/carry-commits.ts',
    find: 'const isTrusted = !inspection.untrusted.has(part)',
    replace: 'const isTrusted = true',
    killers: [repaired],
  },
  {
    name: 'a repair moves commits to other numbers',
    file: 'history/carry-commits.ts',
    find: 'await this.#standIn(last, commit)',
    replace: '',
    killers: [repaired],
  },
  {
    name: 'a repair is silent about what it lost',
    file: 'history/carry-commits.ts',
    find: 'this.#carried.lost.push(loss)',
    replace: '',
    killers: [repaired],
  },
]

export const historyMutants: Mutant[] = [...asking, ...goingBack, ...proving, ...verifying]

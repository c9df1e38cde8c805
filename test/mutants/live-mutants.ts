/** Deliberate faults of following: what a follower may miss, hide or take for what it is not. */
import type { Mutant } from './mutants.ts'

const live = (file: string, name: string): string => `test/live/${file}.test.ts > ${name}`

export const liveMutants: Mutant[] = [
  {
    name: 'a hint is followed by one look only',
    file: 'live/follower.ts',
    find: 'restlessMs[this.#idleLooks] ?? poll',
    replace: 'poll',
    killers: [live('follow', 'looks again soon after a hint')],
  },
  {
    name: 'a follower never polls',
    file: 'live/follower.ts',
    find: 'restlessMs[this.#idleLooks] ?? poll, poll)',
    replace: 'restlessMs[this.#idleLooks] ?? 2 ** 30, 2 ** 30)',
    killers: [live('follow', 'polls where no event ever comes')],
  },
  {
    name: 'a follower swallows what cannot be read',
    file: 'live/follower.ts',
    find: "this.#tell('error', error)",
    replace: '',
    killers: [live('another-history', 'renamed away')],
  },
  {
    name: 'a watcher that failed is asked again',
    file: 'live/follower.ts',
    find: 'this.#canWatch = false',
    replace: '',
    killers: [live('follow', 'when the system has no watchers left')],
  },
  {
    name: 'a commit is taken up in one of its stores',
    file: 'journal/take-up.ts',
    find: 'for (const { store, read } of told)',
    replace: 'for (const { store, read } of told.slice(0, 1))',
    killers: [live('follow', 'shows what is committed, in all stores')],
  },
  {
    name: 'a reset is swallowed',
    file: 'journal/following.ts',
    find: 'this.reset = reset',
    replace: '',
    killers: [live('another-history', 'replaced by that of another journal')],
  },
  {
    name: 'a follower does not ask whether the last known commit still stands there',
    file: 'journal/following.ts',
    find: ' || (await this.#isOurs(home))',
    replace: ' || true',
    killers: [live('another-history', 'deleted and created anew')],
  },
  {
    name: 'a follower trusts the files that it has open',
    file: 'journal/following.ts',
    find: 'if (before.sizeBytes > held) return undefined',
    replace: '',
    killers: [live('another-history', 'replaced by a copy of itself')],
  },
  {
    name: "a token's hash is not compared",
    file: 'live/token.ts',
    find: 'if (found !== hash) throw',
    replace: 'if (found === undefined) throw',
    killers: [live('changes', 'a token of another history is refused')],
  },
  {
    name: "changes from 'now' begin when they are first asked for",
    file: 'live/follower.ts',
    find: 'async () => now :',
    replace: 'async () => present(now && this.journal) :',
    killers: [live('changes', 'is the moment of the call')],
  },
  {
    name: 'a change names only what events speak of, not what was erased',
    file: 'live/change.ts',
    find: 'const lost = others.filter((key) => !holds(folder, now, key))',
    replace: 'const lost = others.slice(0, 0)',
    killers: [live('erase', 'names what its commit erased')],
  },
  {
    name: 'what a store held before an erase is looked up after it',
    file: 'journal/replica.ts',
    find: 'for (const folder of replica.#folders) await replica.#load(folder)',
    replace: '',
    killers: [live('erase', 'so far behind that it reads the log')],
  },
  {
    name: 'an erase that a replica cannot take up leaves half of it behind',
    file: 'journal/replica.ts',
    find: 'this.#home.catalog = catalog\n      throw error',
    replace: 'throw error',
    killers: [live('erase', 'whatever read fails once')],
  },
  {
    name: 'a slow reader goes on with the first change that is kept',
    file: 'live/told-changes.ts',
    find: 'this.#changes[reader.number + 1 - first]?.change',
    replace: 'this.#changes[Math.max(0, reader.number + 1 - first)]?.change',
    killers: [live('changes', 'a reader who is so slow')],
  },
  {
    name: 'a follower tells only of what a look of its own found',
    file: 'live/follower.ts',
    find: 'const before = this.#shown',
    replace: 'const before = present(this.journal)',
    killers: [live('changes', 'a question to the history took them up')],
  },
  {
    name: 'who is told of commits that were taken up reads them from the log nevertheless',
    file: 'journal/take-up.ts',
    find: 'return after?.((folder) => fold.store(folder)!.state)',
    replace: 'return undefined',
    killers: [live('cost', 'the size of the commit')],
  },
]

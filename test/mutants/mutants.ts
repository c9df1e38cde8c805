/**
 * Deliberate faults of the protocol. Each must make some test fail; one that does not shows a promise that
 * nothing holds anyone to. They are applied to a copy of the tree (`tree.ts`): the sources know nothing of
 * them.
 */
import { eraseMutants } from './erase-mutants.ts'
import { historyMutants } from './history-mutants.ts'
import { liveMutants } from './live-mutants.ts'

export interface Edit {
  /** Below `src`. */
  file: string
  /** Must occur exactly once. */
  find: string
  replace: string
}

export interface Mutant extends Edit {
  name: string
  /** A second place that must change with the first. */
  also?: Edit
  /** Tried first, in this order: a file below `test` or `properties`, or `file > words of a test's name`. */
  killers: string[]
}

const queue = 'journal/commit-queue.ts'
const recovery = 'log/recovery.ts'
const session = 'journal/session.ts'
const writer = 'log/segment-writer.ts'
const reader = 'log/frame-reader.ts'

const crash = (workload: string): string => `test/journal/crash.test.ts > ${workload}`
const recovering = (row: string): string => `test/journal/recovery.test.ts > ${row}`
const journal = (name: string): string => `test/journal/journal.test.ts > ${name}`
const paged = (name: string): string => `test/context/snapshot-pages.test.ts > ${name}`
const gap = (name: string): string => `test/mutants/gaps.test.ts > ${name}`

const syncing: Mutant[] = [
  {
    name: "a store's sync is skipped",
    file: writer,
    find: '...[...files].map(async (path)',
    replace: "...[...files].filter((path) => path.includes('/commits/')).map(async (path)",
    killers: [crash('single commits over two stores')],
  },
  {
    name: "the commit log's sync is skipped",
    file: writer,
    find: '...[...files].map(async (path)',
    replace: "...[...files].filter((path) => !path.includes('/commits/')).map(async (path)",
    killers: [crash('single commits over two stores')],
  },
  {
    name: 'a commit is acknowledged before its sync ends',
    file: queue,
    find: "if (this.#options.durability === 'commit') await this.#options.writer.sync()",
    replace: "if (this.#options.durability === 'commit') this.#options.writer.sync().catch(() => {})",
    killers: [gap('a commit waits for the slowest sync')],
  },
  {
    name: 'a commit is acknowledged without any sync',
    file: queue,
    find: "if (this.#options.durability === 'commit') await this.#options.writer.sync()",
    replace: '',
    killers: [crash('single commits over two stores')],
  },
  {
    name: "a new segment's name is not synced",
    file: writer,
    find: '...[...directories].map((directory) => this.#files.disk.syncDirectory(directory)),',
    replace: '',
    killers: [crash('single commits over two stores')],
  },
  {
    name: "a namespace's folder is not synced in the folder above it",
    file: writer,
    find: "for (const name of folder.split('/')) {",
    replace: 'for (const name of [folder]) {',
    killers: ['test/log/segment.test.ts'],
  },
  {
    name: 'what is written while a sync runs counts as synced',
    file: writer,
    find: 'this.#dirtyFiles.add(path) // Afterwards: a sync that runs meanwhile does not reach these bytes.',
    replace: '',
    also: {
      file: writer,
      find: 'const file = await this.#file(path, { folder, create: offset === segmentHeaderBytes })',
      replace:
        'this.#dirtyFiles.add(path)\n    const file = await this.#file(path, { folder, create: offset === segmentHeaderBytes })',
    },
    killers: ['test/log/segment.test.ts > written while a sync runs'],
  },
  {
    name: 'a failed sync is tried again',
    file: writer,
    find: '(await this.#open.get(path))?.sync()',
    replace: 'this.#open.get(path)?.then((file) => file.sync().catch(() => file.sync()))',
    killers: [journal('at a sync leaves the outcome unknown')],
  },
  {
    name: 'a session goes on after a write that failed',
    file: queue,
    find: 'this.over ??= held ? this.#failure(cause) : displaced()',
    replace: 'if (held) return this.#failure(cause)\n    this.over ??= displaced()',
    killers: [journal('a disk that fails')],
  },
  {
    name: "the manifest's bytes are not synced",
    file: 'log/durable-file.ts',
    find: 'await file.sync()',
    replace: '',
    killers: [crash('single commits over two stores')],
  },
  {
    name: 'a manifest takes the place of one that another writer made meanwhile',
    file: 'log/durable-file.ts',
    find: 'await disk.link(temporary, path)',
    replace: 'await disk.rename(temporary, path)',
    killers: [journal('a writer of small changes in a new directory')],
  },
  {
    name: 'a writer that was displaced while it began clears folders',
    file: session,
    find: 'if (!(await lock.stillHeld())) throw displaced()',
    replace: '',
    killers: [journal('a writer of small changes in a new directory')],
  },
  {
    name: 'a journal begins in a segment that stands there',
    file: session,
    find: 'newSegment: Math.max(0, ...commits) + 1,',
    replace: 'newSegment: 1,',
    killers: [recovering('a commit log that has only begun')],
  },
  {
    name: "the manifest's name is not synced",
    file: 'log/durable-file.ts',
    find: 'await disk.syncDirectory(parentOf(path))\n  return true',
    replace: 'return true',
    killers: [gap('a power cut at any time in the first commits')],
  },
  {
    name: "the persist directory's own name is not synced",
    file: 'log/durable-directory.ts',
    find: 'await syncName(disk, path)',
    replace: '',
    killers: [crash('single commits over two stores')],
  },
  {
    name: 'a directory that a killed process made is not synced',
    file: session,
    find: 'await syncName(disk, directory)',
    replace: '',
    killers: [gap('a directory that a killed process made')],
  },
  {
    name: 'a flush leaves its mark before the sync',
    file: queue,
    find: `if (!this.#unsynced) return
    await this.#options.writer.sync()`,
    replace: 'if (!this.#unsynced) return',
    killers: [gap('a power cut at any time in the first commits')],
  },
]

const ordering: Mutant[] = [
  {
    name: 'syncedThrough is raised before the sync',
    file: queue,
    find: 'encodeCommit({ syncedThrough, random, ...input })',
    replace: 'encodeCommit({ random, ...input, syncedThrough: input.number })',
    killers: [crash('single commits over two stores')],
  },
  {
    name: 'a commit says that the one before it in its group is durable',
    file: queue,
    find: 'encodeCommit({ syncedThrough, random, ...input })',
    replace: 'encodeCommit({ random, ...input, syncedThrough: input.number - 1 })',
    killers: [gap('a power cut at any time in the first commits')],
  },
  {
    name: 'a buffered commit counts as durable',
    file: queue,
    find: 'if (synced) this.syncedThrough = catalog.end.number',
    replace: 'this.syncedThrough = catalog.end.number',
    killers: [crash('buffered commits')],
  },
  {
    name: 'a snapshot is made before the sync',
    file: 'journal/snapshots.ts',
    find: 'if (session.queue.syncedThrough < number) return due.thaw()',
    replace: '',
    killers: [gap('no snapshot is made of a commit that is not synced')],
  },
  {
    name: 'the commit frame is written before the store frames',
    file: queue,
    find: `(await unlessFull(this.#writeStores(prepared))) ??
      (await this.#logEnd.append(
        opening,
        prepared.flatMap(({ frame }) => frame.chunks),
      ))`,
    replace: `(await this.#logEnd.append(opening, prepared.flatMap(({ frame }) => frame.chunks))) ??
      (await unlessFull(this.#writeStores(prepared)))`,
    killers: [gap('no byte is written twice')],
  },
  {
    name: 'a commit number is used again',
    file: queue,
    find: 'number: end.number + 1, previous: end.hash',
    replace: 'number: catalog.end.number + 1, previous: end.hash',
    killers: [journal('32 writers')],
  },
  {
    name: 'time goes back',
    file: queue,
    find: 'timeMs = Math.max(clock().getTime(), timeMs)',
    replace: 'timeMs = clock().getTime()',
    killers: [journal('times never go back')],
  },
  {
    name: 'the log goes on over what a full disk left of a write',
    file: 'journal/log-end.ts',
    find: `this.#newSegment = next.segment + 1
      }`,
    replace: '}',
    killers: [gap('no byte is written twice')],
  },
  {
    name: 'of a group that a full disk cut, whole commits are given back too',
    file: 'journal/log-end.ts',
    find: 'const reached = (isNew ? 0 : offset) + ((cause as { written?: number }).written ?? 0)',
    replace: 'const reached = 0',
    killers: [journal('with room for part of it')],
  },
  {
    name: 'commits that the disk had no room for come back in the wrong order',
    file: queue,
    find: 'for (const request of waiting.toReversed())',
    replace: 'for (const request of waiting)',
    killers: [gap('commits that the disk had no room for keep')],
  },
]

const sessions: Mutant[] = [
  {
    name: 'a session goes on in the segments of one that did not end in order',
    file: session,
    find: 'const inOrder = catalog.end.closed && ',
    replace: 'const inOrder = ',
    killers: [crash('a killed process, and the next')],
  },
  {
    name: 'a session goes on behind a tail that nothing seals',
    file: session,
    find: ' && home.torn === undefined',
    replace: '',
    killers: [gap('no byte is written twice: not what a torn')],
  },
  {
    name: 'what was begun in a transaction that failed goes on',
    file: 'journal/turns.ts',
    find: 'if (this.#isTakenBack(context.getStore())) throw rolledBack()',
    replace: '',
    killers: [journal('that throws lets nothing through')],
  },
  {
    name: 'a close does not wait for what is being persisted',
    file: 'journal/journal.ts',
    find: 'if (!this.#turns.inside) await Promise.allSettled(this.#sending)',
    replace: '',
    killers: [journal('close behind what is being persisted')],
  },
  {
    name: 'whoever takes over goes on in the segments of a writer that may live',
    file: session,
    find: ' && !options.takeover',
    replace: '',
    killers: [journal('stands still before any operation')],
  },
  {
    name: "a store's segment goes on though more stands in it than was committed",
    file: session,
    find: 'inOrder && last?.whole',
    replace: 'inOrder && last',
    killers: [gap('no byte is written twice: not what a full disk')],
  },
  {
    name: "a store's segment goes on though a displaced writer may hold its end",
    file: session,
    find: ' && catalog.isCurrent(folder)',
    replace: '',
    killers: ['test/journal/displaced-writer.test.ts'],
  },
  {
    name: 'what a killed writer left unsynced is sealed as it is',
    file: session,
    find: 'adoptUnsynced(writer, catalog, { syncedThrough, commits })',
    replace: 'Promise.resolve()',
    killers: [crash('a killed process, and the next')],
  },
  {
    name: 'what a killed writer left unsynced is built upon before it is synced',
    file: session,
    find: 'if (!inOrder) await writer.sync()',
    replace: '',
    killers: [gap('what a killed writer left unsynced is durable before')],
  },
  {
    name: 'what a failed sync dropped is synced, but not written again',
    file: writer,
    find: 'await file.write([await file.read(at, Math.min(adoptedAtOnceBytes, end - at))], at)',
    replace: '',
    killers: ['test/log/segment.test.ts'],
  },
  {
    name: 'a closing mark that a failed sync dropped is built upon',
    file: session,
    find: '...(segment === last.segment && { to: last.offset }),',
    replace: 'to: catalog.end.closed ? 0 : last.offset,',
    killers: [`test/journal/faults.test.ts > 'failed sync' at any operation`],
  },
  {
    name: "a dead writer's spilled segments stay",
    file: session,
    find: 'await files.remove(folder, segment)',
    replace: '',
    killers: [gap('what a dead writer had written early is removed')],
  },
  {
    name: 'the segments of changes that were rolled back stay',
    file: 'journal/early-writes.ts',
    find: 'for (const { folder, segment } of segments) await session.writer.remove(folder, segment)',
    replace: '',
    killers: [journal('removes the segments that were written early')],
  },
  {
    name: 'a displaced writer removes files',
    file: 'journal/early-writes.ts',
    find: 'if (!(await session.lock.stillHeld())) return',
    replace: '',
    killers: [journal('stands still before any operation')],
  },
  {
    name: 'bytes are given away twice after a rollback',
    file: 'log/store-log.ts',
    find: 'if ((this.#attempted.get(this.#segment) ?? 0) > this.#end || removed.includes(this.#segment))',
    replace: 'if (removed.includes(this.#segment))',
    killers: ['test/log/store-log.test.ts > gives no byte away twice'],
  },
]

const judging: Mutant[] = [
  {
    name: 'lengths are checked, hashes are not',
    file: 'log/part.ts',
    find: 'if (!digest.meets(part.digest))',
    replace: 'if (part.frames < 0)',
    killers: [recovering('a store frame below the mark that was')],
  },
  {
    name: 'lengths are believed without their checksum',
    file: 'log/frame-header.ts',
    find: "if (crc32(header.subarray(0, 32)) !== header.readUInt32LE(32)) return 'its header is damaged'",
    replace: '',
    killers: ['test/log/frame.test.ts'],
  },
  {
    name: 'head and table are believed without their checksum',
    file: reader,
    find: 'if (!tableIsWhole(hashed))',
    replace: 'if (offset < 0)',
    killers: [recovering('a flipped bit in a commit below the')],
  },
  {
    name: 'a row is believed without its checksum',
    file: reader,
    find: 'crc32(front.subarray(cell + 8, end)) !== front.readUInt32LE(cell)',
    replace: 'end < 0',
    killers: [recovering('a damaged row below the mark')],
  },
  {
    name: 'a fetched payload is believed without its checksum',
    file: 'journal/payload.ts',
    find: 'if (payload?.length === length && crc32(payload) === crc) return payload',
    replace: 'if (payload?.length === length) return payload',
    killers: [recovering('a damaged payload below the mark')],
  },
  {
    name: 'of the tail, rows are verified and payloads are not',
    file: 'log/part.ts',
    find: 'readPart(files, part, { payloads: true, ahead })',
    replace: 'readPart(files, part, { ahead })',
    killers: [recovering('a flipped bit in a payload above')],
  },
  {
    name: 'of a commit in the tail, only the first part is verified',
    file: recovery,
    find: 'for (const part of parts) {',
    replace: 'for (const part of parts.slice(0, 1)) {',
    killers: [recovering('a store frame of zeros')],
  },
  {
    name: 'the tail is believed',
    file: recovery,
    find: 'if (commit.number <= syncedThrough) continue',
    replace: 'continue',
    killers: [recovering('above the mark')],
  },
  {
    name: 'a gap is accepted',
    file: recovery,
    find: 'if (link.number !== number + 1)',
    replace: 'if (link.number <= number)',
    killers: [gap('a commit whose number leaves a gap is not accepted')],
  },
  {
    name: 'a wrong previous hash is accepted',
    file: recovery,
    find: 'if (!Buffer.from(link.previous).equals(hash))',
    replace: 'if (link.number < 0)',
    killers: [recovering('a commit that does not follow')],
  },
  {
    name: 'the log stops at the first error as if that were torn',
    file: recovery,
    find: 'proven = Math.max(proven, walk.syncedThrough, known)',
    replace: 'proven = Math.min(last, Math.max(proven, walk.syncedThrough))',
    killers: [recovering('a flipped bit in a commit below the')],
  },
  {
    name: 'what stands behind the end of the chain is not heard',
    file: recovery,
    find: 'for await (const mark of marksBeyond(file, this.end.next.offset, length)) this.#noteMark(mark)',
    replace: '',
    killers: [gap('a log that lost what only the mark')],
  },
  {
    name: 'what later segments of the commit log know is not heard',
    file: recovery,
    find: 'await this.#noteMarksBeyond()',
    replace: '',
    killers: [recovering('a missing commit segment')],
  },
  {
    name: 'what stores know of commits that are gone is not heard',
    file: 'journal/home.ts',
    find: 'known = Math.max(known, mark)',
    replace: 'known = Math.max(known, 0 * mark)',
    killers: [recovering('a commit log rolled back behind what')],
  },
  {
    name: 'a store that no commit names any more is not asked what it knows',
    file: 'journal/home.ts',
    find: 'for (const folder of await storeFolders(files)) note(folder, 1, segmentHeaderBytes)',
    replace: 'await storeFolders(files)',
    killers: [recovering('a commit log from before a store was')],
  },
  {
    name: 'a damaged commit is torn, although a snapshot was made of it',
    file: recovery,
    find: 'if (despite > 0) {',
    replace: 'if (despite < 0) {',
    killers: [recovering('another store’s snapshot')],
  },
  {
    name: 'a snapshot of another commit of its number promises this one',
    file: 'journal/snapshot.ts',
    find: 'if (snapshot && Buffer.from(snapshot.hash).equals(hash!)) return commit',
    replace: 'if (snapshot && hash) return commit',
    killers: [recovering('a bad row, a snapshot of another')],
  },
  {
    name: 'another segment in the place of a part is torn',
    file: 'log/recovery.ts',
    find: "if (kind === 'foreign' || (kind",
    replace: 'if ((kind',
    killers: [recovering('another store’s segment where only th')],
  },
  {
    name: 'another segment in the place of a later one of the commit log is passed over',
    file: 'log/recovery.ts',
    find: "if (fault?.kind === 'foreign') throw this.#files.unusable(commitsFolder, segment, fault)",
    replace: '',
    killers: [recovering('another store’s segment in the place')],
  },
  {
    name: 'a broken header of a durable segment is torn',
    file: 'log/recovery.ts',
    find: '(kind !== undefined && isDurable)',
    replace: 'false',
    killers: [recovering('a damaged header of a segment that durable commits name')],
  },
  {
    name: 'a reader asks again and again what stands outside the commit log',
    file: 'log/recovery.ts',
    find: 'known ??= await',
    replace: 'known = await',
    killers: [recovering('a reader comes to an end however fast')],
  },
  {
    name: 'what a snapshot knows of a commit that is gone is not heard',
    file: 'journal/snapshot.ts',
    find: 'if (commit <= last) continue',
    replace: 'if (commit > last) continue',
    killers: [gap('a log that lost what only a snapshot knows of is refused')],
  },
  {
    name: 'a reader takes what a writer makes durable meanwhile for damage',
    file: recovery,
    find: 'if (proven > last) continue',
    replace: 'if (proven > last) throw corruptLog(files, walk, { last, promised: proven })',
    killers: [journal('readers beside a writer')],
  },
  {
    name: 'a sealed segment may be shorter than its seal says',
    file: recovery,
    find: 'if (reached < seal.length || number !== seal.number) {',
    replace: 'if (number < 0) {',
    killers: [recovering('a sealed commit segment that was cut')],
  },
  {
    name: "a displaced writer's commits behind the seal are accepted",
    file: recovery,
    find: 'this.#cutBack(seal)',
    replace: '',
    killers: [crash('the takeover of a writer')],
  },
  {
    name: 'of several segments that are sealed to one, the lowest goes on',
    file: recovery,
    find: '(await this.#laterSegments()).toReversed()',
    replace: 'await this.#laterSegments()',
    killers: [gap('a segment that a displaced writer finished too late')],
  },
  {
    name: 'frames that no commit names are folded',
    file: 'log/part.ts',
    find: `yield frame
  }`,
    replace: `yield frame
  }
  for (let next = offset; ; ) {
    const more = await reader.read(next, await file.size())
    if (isFault(more)) break
    yield more
    next += more.sizeBytes
  }`,
    killers: [crash('a killed process, and the next')],
  },
  {
    name: "another store's segment is accepted",
    file: 'log/segment.ts',
    find: 'if (!header.subarray(48, 56).equals(folderMark(expected.folder)))',
    replace: 'if (header.length < 0)',
    killers: ['test/log/segment.test.ts'],
  },
  {
    name: "another journal's segment is accepted",
    file: 'log/segment.ts',
    find: 'if (!header.subarray(16, 32).equals(expected.journalId))',
    replace: 'if (header.length < 0)',
    killers: ['test/log/segment.test.ts'],
  },
  {
    name: 'a segment in the place of another is accepted',
    file: 'log/segment.ts',
    find: 'return number === expected.number ? undefined :',
    replace: 'return number > 0 ? undefined :',
    killers: ['test/log/segment.test.ts'],
  },
  {
    name: 'a segment that no commit names is held open',
    file: 'log/segment-files.ts',
    find: 'if (!opened.file) return { fault: opened }',
    replace: 'if (!opened.file) return { fault: opened }\n    await this.open(folder, segment)',
    killers: [journal('a reader is not misled')],
  },
]

const states: Mutant[] = [
  {
    name: 'a delete is dropped in a snapshot',
    file: 'journal/table.ts',
    find: 'const pieces = piecesOf(this.#base, this.#frozen)',
    replace:
      'const pieces = piecesOf(this.#base, new Map([...this.#frozen].filter(([, entry]) => entry.value !== undefined)))',
    killers: [crash('snapshots on the way')],
  },
  {
    name: 'a thaw loses what changed meanwhile',
    file: 'journal/table.ts',
    find: 'for (const [key, entry] of this.#recent) this.#frozen.set(key, entry)',
    replace: '',
    killers: [gap('a table that is thawed')],
  },
  {
    name: 'a change after a fork reaches the other side',
    file: 'journal/table.ts',
    find: 'other.#epoch = ++this.#epoch',
    replace: 'other.#epoch = this.#epoch',
    killers: ['test/journal/table.test.ts > a table goes two ways'],
  },
  {
    name: 'a fork loses what is frozen',
    file: 'journal/table.ts',
    find: '...(this.#frozen ?? []), ...this.#recent',
    replace: '...this.#recent',
    killers: ['test/journal/table.test.ts > a table goes two ways'],
  },
  {
    name: 'a change to what is frozen reaches the snapshot',
    file: 'journal/table.ts',
    find: `this.#recent = new Map()
    this.#epoch++`,
    replace: '',
    killers: ['test/journal/table.test.ts'],
  },
  {
    name: "a snapshot's head is believed without its checksum",
    file: 'journal/snapshot.ts',
    find: ' || crc32(checked) !== bytes.readUInt32LE(12)',
    replace: '',
    killers: [paged('a snapshot whose head gives')],
  },
  {
    name: 'a page of a snapshot is believed without its checksum',
    file: 'journal/snapshot-pages.ts',
    find: 'if (crc32(piece) !== this.#checksums[page])',
    replace: 'if (bytes.length === 0)',
    killers: [paged('costs time and nothing else')],
  },
  {
    name: 'a snapshot that is read whole is believed without the checksums of its pages',
    file: 'journal/snapshot.ts',
    find: '!holdsPages(bytes, head)',
    replace: 'bytes.length === 0',
    killers: [paged('is no cause for whoever')],
  },
  {
    name: 'a section of a snapshot may lead anywhere',
    file: 'journal/snapshot.ts',
    find: 'offset % 8 === 0 && offset + length <= bytes',
    replace: 'length >= 0 || bytes < offset',
    killers: ['test/context/hostile-bytes.test.ts > with a section that'],
  },
  {
    name: 'a value that goes on in the next page is cut off',
    file: 'journal/snapshot-pages.ts',
    find: 'if (to <= start + pageBytes) return',
    replace: 'if (to > start) return',
    killers: [paged('has a value that is longer than a page')],
  },
  {
    name: 'what was only looked at is written to',
    file: 'journal/fold.ts',
    find: 'return store?.unread ? undefined : store',
    replace: 'return store',
    killers: [paged('is met before anything is written')],
  },
  {
    name: 'what was only looked at makes a snapshot',
    file: 'journal/snapshots.ts',
    find: '!unread && rowsBytes > 0',
    replace: 'rowsBytes > 0',
    killers: [paged('is not made into a snapshot')],
  },
  {
    name: 'others are taken up by what was only looked at',
    file: 'journal/take-up.ts',
    find: 'committed.length > 0 ? await fold.load(',
    replace: 'committed.length < 0 ? await fold.load(',
    killers: [paged('when others have committed')],
  },
  {
    name: 'what was only looked at is not looked at closely when it is there whole',
    file: 'journal/fold.ts',
    find: 'for (const table of Object.values(store.state)) table.check()',
    replace: '',
    killers: ['test/context/hostile-bytes.test.ts'],
  },
  {
    name: 'a view of a struct looks at pages that are not there',
    file: 'stores/index-store.ts',
    find: 'await this.handle.load(this.folder) // The view looks at it later.',
    replace: '',
    killers: [paged('in a view of a struct')],
  },
  {
    name: 'a snapshot of another history is believed',
    file: 'journal/folded-store.ts',
    find: 'if (!Buffer.from(found.hash).equals(await source.commitHash(commit)))',
    replace: 'if (found.hash.length === 0)',
    killers: [gap('a snapshot of another history is not believed')],
  },
  {
    name: 'a catalog of another history is believed',
    file: 'journal/home.ts',
    find: 'if (catalog && (await standsInLog(files, catalog))) return catalog',
    replace: 'if (catalog) return catalog',
    killers: [gap('a snapshot of another history is not believed')],
  },
  {
    name: 'a rollback keeps a change',
    file: 'journal/pending.ts',
    find: '.reverse()) change.undo()',
    replace: '.reverse().slice(2)) change.undo()',
    killers: [journal('drops everything pending')],
  },
  {
    name: 'a rollback keeps the order of a new key',
    file: 'journal/table.ts',
    find: 'else if (now) this.#nextOrder = now.order',
    replace: '',
    killers: ['test/journal/table.test.ts'],
  },
  {
    name: 'a rollback takes changes back in the wrong order',
    file: 'journal/pending.ts',
    find: '.reverse()) change.undo()',
    replace: ') change.undo()',
    killers: [gap('a rollback takes a key back')],
  },
  {
    name: 'a rollback leaves its frames to the next commit',
    file: 'log/store-log.ts',
    find: 'this.#pending = this.#pending.filter((placed) => before(placed, first))',
    replace: '',
    killers: [gap('no byte is written twice')],
  },
  {
    name: 'a transaction takes what was pending before into its commit',
    file: 'log/store-log.ts',
    find: 'this.#split ||= split',
    replace: '',
    killers: [journal('is one commit, after one for what was pending')],
  },
  {
    name: 'two transactions run at once',
    file: 'journal/turns.ts',
    find: 'while (!this.ready) await this.change({ takes: true })',
    replace: '',
    killers: ['test/journal/turns.test.ts'],
  },
  {
    name: 'all who wait for a turn are woken for one',
    file: 'journal/turns.ts',
    find: 'isTaken ||= takes && !isTakenBack',
    replace: '',
    killers: ['test/journal/turns.test.ts'],
  },
  {
    name: 'who waits around a turn is woken in place of who waits in it',
    file: 'journal/turns.ts',
    find: '(isTaken || this.#living(turn) !== this.#current)',
    replace: 'isTaken',
    killers: ['test/journal/turns.test.ts'],
  },
]

const locking: Mutant[] = [
  {
    name: "the nonce's second reading is skipped",
    file: queue,
    find: `await this.#requireLock()
      this.#accept(written)`,
    replace: 'this.#accept(written)',
    killers: [journal('stands still before any operation')],
  },
  {
    name: 'a displaced writer ends the log in order',
    file: queue,
    find: "(await this.#options.stillHeld()) ? this.#leaveMark('close') : undefined",
    replace: "this.#leaveMark('close')",
    killers: [gap('a displaced writer that closes')],
  },
  {
    name: 'a writer begins without another look at the lock',
    file: queue,
    find: `if (this.#prepared) return undefined
    await this.#requireLock()`,
    replace: 'if (this.#prepared) return undefined',
    killers: [gap('a writer that was displaced before its first commit')],
  },
  {
    name: 'a lock is held for ever',
    file: 'log/lock.ts',
    find: 'return (await this.#site.find(lockName))?.identity === this.nonce',
    replace: 'return true',
    killers: ['test/log/lock.test.ts > of a living holder is taken over only'],
  },
  {
    name: "a living writer's lock counts as stale",
    file: 'log/lock-site.ts',
    find: "if (await this.hasLife(record.nonce)) return 'living'",
    replace: '',
    killers: ['test/log/lock.test.ts > refuses a second writer'],
  },
  {
    name: 'a claimant does not look again at what it replaces',
    file: 'log/lock-claim.ts',
    find: 'if ((await this.#site.find(name))?.identity === identity) return true',
    replace: 'return true',
    killers: ['test/log/lock.test.ts'],
  },
  {
    name: 'a writer that closes removes whatever LOCK stands there',
    file: 'log/lock-site.ts',
    find: 'if ((await site.find(lockName))?.identity === nonce) await site.remove(lockName)',
    replace: 'await site.remove(lockName)',
    killers: ['test/log/lock.test.ts'],
  },
  {
    name: 'a power cut leaves a LOCK that nobody can judge',
    file: 'log/lock-claim.ts',
    find: 'await file.sync()',
    replace: '',
    killers: ['test/log/lock.test.ts > survives a power cut'],
  },
]

export const mutants: Mutant[] = [
  ...syncing,
  ...ordering,
  ...sessions,
  ...judging,
  ...states,
  ...locking,
  ...historyMutants,
  ...eraseMutants,
  ...liveMutants,
  {
    name: 'a struct takes the slot of another after one that was newest is back at an old one',
    file: 'stores/index-state.ts',
    find: '?.slot === known.slot) return',
    replace: ') return',
    killers: ['test/stores/index-store.test.ts'],
  },
]

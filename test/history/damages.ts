/** Everything that can befall a journal, what verifying must say of it, and what repairing must lose: no more and no less. */
import type { MemoryDisk } from '../../src/disk/memory-disk.ts'
import { encodeSnapshot, readSnapshot } from '../../src/journal/snapshot.ts'
import type { Loss } from '../../src/history/repair-report.ts'
import type { Damage } from '../../src/history/verify-report.ts'
import { commitsFolder } from '../../src/log/names.ts'
import { TableBaseBuilder } from '../../src/journal/table-base.ts'
import { directory, edit, flip, oddFolder, type Places } from './sample-journal.ts'

export interface DamageCase {
  name: string
  damage: (disk: MemoryDisk, places: Places) => Promise<void> | void
  /** What is found, in order. */
  finds: (places: Places) => Promise<Partial<Damage>[]> | Partial<Damage>[]
  /** What a repair reports as lost; default: nothing. */
  loses?: Partial<Loss>[]
  /** Commits that stand empty in the repaired journal. */
  placeholders?: [number, number][]
  /** Commits of which a repair writes nothing since they come at the end. */
  commitsAfter?: number
}

async function firstFrame(places: Places, commit: number, folder: string) {
  return (await places.frames(places.part(commit, folder)))[0]!
}

const commitLog = (places: Places, commit: number): { path: string; offset: number } => {
  const { segment, offset } = places.offsets[commit - 1]!
  return { path: places.path(commitsFolder, segment), offset }
}

const relative = (path: string): string => path.slice(directory.length + 1)

export const damageCases: DamageCase[] = [
  {
    name: 'a payload',
    async damage(disk, places) {
      const frame = await firstFrame(places, 1, 'docstore')
      flip(disk, places.path('docstore', 1), frame.items[1]!.offset + 3)
    },
    finds: async (places) => [
      {
        kind: 'item',
        path: 'docstore/0000000001.log',
        store: 'docstore',
        segment: 1,
        offset: (await firstFrame(places, 1, 'docstore')).offset,
        item: 1,
        event: 'NodesAdded',
        key: 'a2',
        commits: [[1, 1]],
        fault: 'its payload is damaged',
        follows: 'This item is lost; all others can be read.',
      },
    ],
    loses: [{ what: 'item', commits: [1, 1], store: 'docstore', event: 'NodesAdded', key: 'a2' }],
  },
  {
    name: 'a row',
    async damage(disk, places) {
      const frame = await firstFrame(places, 1, 'docstore')
      flip(disk, places.path('docstore', 1), frame.rowOffsets[4]! + 1)
    },
    finds: () => [
      { kind: 'item', item: 4, event: 'NodesAdded', fault: 'its row is damaged', commits: [[1, 1]] },
    ],
    loses: [{ what: 'item', commits: [1, 1], store: 'docstore', item: 4, fault: 'its row is damaged' }],
  },
  {
    name: 'a row and a payload of two items of one frame',
    async damage(disk, places) {
      const frame = await firstFrame(places, 1, 'docstore')
      flip(disk, places.path('docstore', 1), frame.rowOffsets[0]! + 1)
      flip(disk, places.path('docstore', 1), frame.items[7]!.offset)
    },
    finds: () => [
      { kind: 'item', item: 0, fault: 'its row is damaged' },
      { kind: 'item', item: 7, key: 'a8', fault: 'its payload is damaged' },
    ],
    loses: [
      { what: 'item', item: 0 },
      { what: 'item', key: 'a8' },
    ],
  },
  {
    name: 'a checksum beside a row that is whole',
    async damage(disk, places) {
      const frame = await firstFrame(places, 1, 'docstore')
      flip(disk, places.path('docstore', 1), frame.rowOffsets[2]! - 24)
    },
    finds: () => [{ kind: 'item', item: 2, key: 'a3', fault: 'its checksum is damaged' }],
  },
  {
    name: 'a row of a matrix',
    async damage(disk, places) {
      const frame = await firstFrame(places, 1, 'vector_store/default')
      flip(disk, places.path('vector_store/default', 1), frame.items[5]!.offset + 2)
    },
    finds: () => [{ kind: 'item', store: 'vector_store/default', item: 5, event: 'VectorsAdded', key: 'a6' }],
    loses: [{ what: 'item', store: 'vector_store/default', key: 'a6' }],
  },
  {
    name: "a struct's entry",
    async damage(disk, places) {
      const [, entries] = await places.frames(places.part(2, 'index_store'))
      edit(disk, places.path('index_store', 1), (bytes) => void (bytes[entries!.rowOffsets[3]! + 2]! ^= 1))
    },
    finds: () => [
      { kind: 'item', store: 'index_store', item: 3, event: 'EntriesChanged', commits: [[2, 2]] },
    ],
    loses: [{ what: 'item', store: 'index_store', event: 'EntriesChanged', item: 3 }],
  },
  {
    name: "a frame's table",
    async damage(disk, places) {
      const frame = await firstFrame(places, 1, 'docstore')
      flip(disk, places.path('docstore', 1), frame.offset + frame.hashed.length - 10)
    },
    finds: async (places) => [
      {
        kind: 'frame',
        path: 'docstore/0000000001.log',
        offset: (await firstFrame(places, 1, 'docstore')).offset,
        commits: [[1, 1]],
        fault: 'its head or table is damaged',
        follows:
          '8 items of commit 1 cannot be read, and docstore cannot be folded from commit 1 on; other stores can.',
      },
    ],
    loses: [{ what: 'event', commits: [1, 1], store: 'docstore', items: 8 }],
  },
  {
    name: "a frame's header, between others of its part",
    async damage(disk, places) {
      const part = places.part(4, 'docstore', 1)
      const frames = await places.frames(part)
      flip(disk, places.path('docstore', part.segment), frames[1]!.offset + 9)
    },
    finds: async (places) => [
      {
        kind: 'frame',
        store: 'docstore',
        offset: (await places.frames(places.part(4, 'docstore', 1)))[1]!.offset,
        fault: 'its header is damaged',
        commits: [[4, 4]],
      },
    ],
    loses: [{ what: 'event', commits: [4, 4], store: 'docstore' }],
  },
  {
    name: 'a block of zeros over several frames',
    damage(disk, places) {
      const { segment, from } = places.part(4, 'docstore', 1)
      edit(disk, places.path('docstore', segment), (bytes) => void bytes.fill(0, from, from + 5000))
    },
    finds: () => [{ kind: 'frame', store: 'docstore', fault: 'no frame begins here', commits: [[4, 4]] }],
    loses: [{ what: 'event', commits: [4, 4], store: 'docstore' }],
  },
  {
    name: "a segment's header",
    damage: (disk, places) => flip(disk, places.path('graph_store', 1), 20),
    finds: () => [
      {
        kind: 'segment',
        path: 'graph_store/0000000001.log',
        offset: 0,
        commits: [[5, 5]],
        fault: 'its header is damaged',
        follows:
          'Nothing is lost by it, but graph_store cannot be folded from commit 5 on; other stores can.',
      },
    ],
  },
  {
    name: 'a store that lost a segment',
    damage: (disk, places) => disk.unlink(places.path('property_graph_store', 1)),
    finds: () => [
      {
        kind: 'segment',
        path: 'property_graph_store/0000000001.log',
        commits: [[6, 10]],
        fault: 'it is missing',
        follows:
          'What commits 6 to 10 put there is lost, and property_graph_store cannot be folded from commit 6 on; other stores can.',
      },
    ],
    loses: [6, 7, 8, 9, 10].map((commit) => ({
      what: 'part',
      commits: [commit, commit],
      store: 'property_graph_store',
    })),
  },
  {
    name: 'a segment that is an older self',
    damage(disk, places) {
      const { segment, to } = places.part(7, 'property_graph_store')
      edit(disk, places.path('property_graph_store', segment), (bytes) => bytes.subarray(0, to))
    },
    finds: (places) => [
      {
        kind: 'segment',
        path: 'property_graph_store/0000000001.log',
        offset: places.part(8, 'property_graph_store').from,
        commits: [[8, 10]],
        fault: `it ends after ${places.part(7, 'property_graph_store').to} bytes`,
      },
    ],
    loses: [8, 9, 10].map((commit) => ({
      what: 'part',
      commits: [commit, commit],
      store: 'property_graph_store',
    })),
  },
  {
    name: 'a segment that is cut off within a frame',
    damage(disk, places) {
      const { segment, to } = places.part(10, 'property_graph_store')
      edit(disk, places.path('property_graph_store', segment), (bytes) => bytes.subarray(0, to - 20))
    },
    finds: (places) => [
      {
        kind: 'frame',
        store: 'property_graph_store',
        offset: places.part(10, 'property_graph_store').from,
        fault: 'it is cut off',
      },
    ],
    loses: [{ what: 'event', commits: [10, 10], store: 'property_graph_store' }],
  },
  {
    name: 'two stores whose segments are swapped',
    damage(disk, places) {
      const [graph, index] = [places.path('graph_store', 1), places.path('index_store', 1)]
      const [graphBytes, indexBytes] = [disk.peek(graph), disk.peek(index)]
      disk.put(graph, indexBytes)
      disk.put(index, graphBytes)
    },
    finds: () => [
      {
        kind: 'segment',
        path: 'index_store/0000000001.log',
        commits: [[2, 2]],
        fault: 'it belongs to another store',
      },
      {
        kind: 'segment',
        path: 'graph_store/0000000001.log',
        commits: [[5, 5]],
        fault: 'it belongs to another store',
      },
    ],
    loses: [
      { what: 'part', commits: [2, 2], store: 'index_store' },
      { what: 'part', commits: [5, 5], store: 'graph_store' },
    ],
  },
  {
    name: 'frames that are good in themselves, and not those of the commit',
    async damage(disk, places) {
      const [first, second] = [places.part(7, 'property_graph_store'), places.part(8, 'property_graph_store')]
      edit(
        disk,
        places.path('property_graph_store', 1),
        (bytes) => void bytes.copyWithin(first.from, second.from, second.to),
      )
    },
    finds: (places) => [
      {
        kind: 'part',
        store: 'property_graph_store',
        offset: places.part(7, 'property_graph_store').from,
        commits: [[7, 7]],
        fault: 'it is not what the commit saw',
      },
    ],
    loses: [{ what: 'part', commits: [7, 7], store: 'property_graph_store' }],
  },
  {
    name: 'the header of a commit',
    damage(disk, places) {
      const { path, offset } = commitLog(places, 7)
      flip(disk, path, offset + 12)
    },
    finds: (places) => {
      const { path, offset } = commitLog(places, 7)
      return [
        {
          kind: 'commits',
          path: relative(path),
          offset,
          commits: [[7, 7]],
          fault: 'its header is damaged',
          follows:
            'Commit 7 is lost, and opening may refuse the journal. Commits 1 to 6 and 8 to 10 can be read.',
        },
      ]
    },
    loses: [{ what: 'commits', commits: [7, 7] }],
    placeholders: [[7, 7]],
  },
  {
    name: 'the heads of two commits',
    damage(disk, places) {
      for (const commit of [3, 6]) {
        const { path, offset } = commitLog(places, commit)
        flip(disk, path, offset + 44)
      }
    },
    finds: () => [
      { kind: 'commits', commits: [[3, 3]], fault: 'its head or table is damaged' },
      { kind: 'commits', commits: [[6, 6]], fault: 'its head or table is damaged' },
    ],
    loses: [
      { what: 'commits', commits: [3, 3] },
      { what: 'commits', commits: [6, 6] },
    ],
    placeholders: [
      [3, 3],
      [6, 6],
    ],
  },
  {
    name: 'what a user said of a commit',
    async damage(disk, places) {
      const { path, offset } = commitLog(places, 1)
      const at = Buffer.from(disk.peek(path)).indexOf('first import', offset)
      flip(disk, path, at)
    },
    finds: () => [
      {
        kind: 'note',
        commits: [[1, 1]],
        follows:
          'Message, actor and metadata of commit 1 are lost; what it changed is not, but opening may refuse the journal.',
      },
    ],
    loses: [{ what: 'note', commits: [1, 1] }],
  },
  {
    name: 'the mark that a session ended in order',
    damage(disk, places) {
      const bytes = disk.peek(places.path(commitsFolder, 1))
      const { offset } = places.offsets[2]!
      const size = Buffer.from(bytes).indexOf(Buffer.from('\u0076\u0072\u0076\u001f'), offset + 8)
      // The third commit, then the mark, the last of its segment but for what the second session wrote.
      flip(disk, places.path(commitsFolder, 1), size + 8)
    },
    finds: () => [
      {
        kind: 'commits',
        path: 'commits/0000000001.log',
        commits: [],
        follows: 'No commit is lost by it, but opening may refuse the journal from commit 4 on.',
      },
    ],
  },
  {
    name: 'the seal of a segment of the commit log',
    damage(disk, places) {
      const { segment } = places.offsets[9]!
      flip(disk, places.path(commitsFolder, segment), 64 + 6)
    },
    finds: (places) => [{ kind: 'commits', segment: places.offsets[9]!.segment, offset: 64, commits: [] }],
  },
  {
    name: 'the end of the commit log, cut off',
    damage(disk, places) {
      const { path, offset } = commitLog(places, 9)
      edit(disk, path, (bytes) => bytes.subarray(0, offset))
    },
    finds: (places) => [
      {
        kind: 'commits',
        offset: places.offsets[8]!.offset,
        commits: [[9, 10]],
        fault: 'the commit log ends here',
        follows: 'Commits 9 to 10 are lost, and opening may refuse the journal. Commits 1 to 8 can be read.',
      },
    ],
    loses: [{ what: 'commits', commits: [9, 10] }],
    commitsAfter: 8,
  },
  {
    name: 'the first segment of the commit log, gone',
    damage: (disk, places) => disk.unlink(places.path(commitsFolder, 1)),
    finds: () => [
      { kind: 'commits', path: 'commits/0000000001.log', commits: [[1, 5]], fault: 'it is missing' },
    ],
    loses: [{ what: 'commits', commits: [1, 5] }],
    placeholders: [[1, 5]],
  },
  {
    name: 'the last segment of the commit log, gone',
    damage: (disk, places) => disk.unlink(places.path(commitsFolder, places.offsets[9]!.segment)),
    finds: () => [{ kind: 'commits', commits: [[6, 10]], fault: 'the commit log ends here' }],
    loses: [{ what: 'commits', commits: [6, 10] }],
    commitsAfter: 5,
  },
  {
    name: 'the manifest',
    damage: (disk) => disk.put(`${directory}/varve.json`, Buffer.from('{"format":1,')),
    finds: () => [
      {
        kind: 'manifest',
        path: 'varve.json',
        fault: 'it cannot be read',
        follows: 'No commit is lost by it, but opening may refuse the journal.',
      },
    ],
  },
  {
    name: 'the manifest, gone',
    damage: (disk) => disk.unlink(`${directory}/varve.json`),
    finds: () => [{ kind: 'manifest', path: 'varve.json', fault: 'it is missing' }],
  },
  {
    name: 'a snapshot that says something else than the log',
    async damage(disk, places) {
      const id = { journalId: journalId(disk), subject: 'index_store', commit: 3 }
      const { hash, sections } = (await readSnapshot(disk, directory, id))!
      sections.set('entries', new TableBaseBuilder().build(8))
      const chunks = encodeSnapshot({ ...id, hash }, sections)
      disk.put(`${directory}/snapshots/0000000003~index_store.snap`, Buffer.concat(chunks))
      void places
    },
    finds: () => [
      {
        kind: 'snapshot',
        path: 'snapshots/0000000003~index_store.snap',
        store: 'index_store',
        commits: [[3, 3]],
        fault: 'it is not what commits 1 to 3 fold to',
      },
    ],
  },
  {
    name: 'the one commit that names an odd namespace, in its part',
    async damage(disk, places) {
      const frame = await firstFrame(places, 5, oddFolder)
      flip(disk, places.path(oddFolder, 1), frame.items[1]!.offset)
    },
    finds: () => [{ kind: 'item', store: oddFolder, key: 'o2', commits: [[5, 5]] }],
    loses: [{ what: 'item', store: oddFolder, key: 'o2', commits: [5, 5] }],
  },
]

function journalId(disk: MemoryDisk): Uint8Array {
  const { id } = JSON.parse(Buffer.from(disk.peek(`${directory}/varve.json`)).toString()) as { id: string }
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

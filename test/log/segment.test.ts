import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { MemoryDisk, type MemoryDiskOptions } from '../../src/disk/memory-disk.ts'
import { SegmentFiles } from '../../src/log/segment-files.ts'
import { SegmentWriter } from '../../src/log/segment-writer.ts'
import { encodeSegmentHeader, segmentFault, segmentHeaderBytes } from '../../src/log/segment.ts'

const journalId = new Uint8Array(16).fill(7)
const session = new Uint8Array(16).fill(9)
const expected = { journalId, folder: 'docstore', number: 3 }
const header = (more: object = {}): Buffer => encodeSegmentHeader({ session, ...expected, ...more })

describe('a segment header', () => {
  test('is good in its own place', () => {
    expect(header().length).toBe(segmentHeaderBytes)
    expect(segmentFault(header(), expected)).toBeUndefined()
  })

  test.each([
    [
      'another journal’s',
      header({ journalId: new Uint8Array(16) }),
      { kind: 'foreign', fault: 'it belongs to another journal' },
    ],
    [
      'another store’s',
      header({ folder: 'index_store' }),
      { kind: 'foreign', fault: 'it belongs to another store' },
    ],
    ['another segment’s', header({ number: 4 }), { kind: 'foreign', fault: 'it is segment 4' }],
    ['cut off', header().subarray(0, 63), { kind: 'damaged', fault: 'its header is cut off' }],
    ['of another kind of file', Buffer.alloc(64), { kind: 'damaged', fault: 'it is not a segment' }],
  ])('that is %s is recognised', (_, bytes, fault) => {
    expect(segmentFault(bytes, expected)).toEqual(fault)
  })

  test('with any bit flipped is recognised', () => {
    for (let bit = 0; bit < segmentHeaderBytes * 8; bit++) {
      const bytes = header()
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      expect(segmentFault(bytes, expected)?.kind, `bit ${bit}`).toBe('damaged')
    }
  })

  test('of a later format is newer, whatever else it says', () => {
    const bytes = header({ journalId: new Uint8Array(16) })
    bytes.writeUInt32LE(2, 8)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60)
    expect(segmentFault(bytes, expected)).toEqual({ kind: 'newer', fault: 'its format is 2' })
  })
})

describe('segment files', () => {
  const make = (
    options: MemoryDiskOptions = {},
  ): { disk: MemoryDisk; files: SegmentFiles; writer: SegmentWriter } => {
    const disk = new MemoryDisk(options)
    disk.put('/storage/varve.json', new Uint8Array(1))
    const files = new SegmentFiles({ disk, directory: '/storage', journalId })
    return { disk, files, writer: new SegmentWriter(files, session) }
  }
  const hello = {
    folder: 'vector_store/default',
    segment: 1,
    offset: segmentHeaderBytes,
    chunks: [Buffer.from('hello')],
  }

  test('are created with header and folders, and all names synced', async () => {
    const { disk, writer } = make()
    await writer.write(hello)
    await writer.sync()
    const after = disk.crash('none')
    const files = new SegmentFiles({ disk: after, directory: '/storage', journalId })
    const file = await files.open('vector_store/default', 1)
    expect(Buffer.from(await file.read(segmentHeaderBytes, 9)).toString()).toBe('hello')
    expect(await files.numbers('vector_store/default')).toEqual([1])
    expect(await files.numbers('nowhere')).toEqual([])
  })

  test.each([
    ['unsynced', async () => {}],
    [
      'to a sync that failed',
      async ({ disk, writer }: ReturnType<typeof make>): Promise<void> => {
        disk.inject({ what: 'failed sync', at: 0, matches: ({ kind }) => kind === 'sync' })
        await expect(writer.sync()).rejects.toThrow('failed sync')
      },
    ],
  ])('that a dead writer left %s are made durable by the next', async (_, leave) => {
    const first = make()
    await first.writer.write(hello)
    await leave(first)
    const second = first.disk.crash('all')
    const writer = new SegmentWriter(
      new SegmentFiles({ disk: second, directory: '/storage', journalId }),
      session,
    )
    await writer.adopt('vector_store/default', 1, { from: segmentHeaderBytes })
    await writer.write({ ...hello, segment: 2 })
    await writer.sync()
    const after = new SegmentFiles({ disk: second.crash('none'), directory: '/storage', journalId })
    expect(await after.numbers('vector_store/default')).toEqual([1, 2])
    const file = await after.open('vector_store/default', 1)
    expect(Buffer.from(await file.read(segmentHeaderBytes, 9)).toString()).toBe('hello')
  })

  test('written while a sync runs are synced by the next', async () => {
    let delay: Promise<void> | undefined
    const { disk, writer } = make({ delay: () => delay ?? Promise.resolve() })
    await writer.write(hello)
    let letGo = (): void => {}
    delay = new Promise((resolve) => (letGo = resolve))
    const more = [Buffer.from(' world')]
    const writing = writer.write({ ...hello, offset: segmentHeaderBytes + 5, chunks: more })
    await new Promise((resolve) => setImmediate(resolve))
    delay = undefined
    await writer.sync()
    letGo()
    await writing
    await writer.sync()
    const bytes = disk.crash('none').peek('/storage/vector_store/default/0000000001.log')
    expect(Buffer.from(bytes.subarray(segmentHeaderBytes)).toString()).toBe('hello world')
  })

  test('that were looked at only are not held on to', async () => {
    const { disk, files, writer } = make()
    await writer.write(hello)
    expect(await files.glance('vector_store/default', 1, (file) => file.size())).toEqual({
      seen: segmentHeaderBytes + 5,
    })
    await writer.remove('vector_store/default', 1)
    expect(await files.glance('vector_store/default', 1, (file) => file.size())).toEqual({
      fault: { kind: 'missing', fault: 'missing' },
    })
    await writer.write({ ...hello, chunks: [Buffer.from('again')] })
    const file = await files.open('vector_store/default', 1)
    expect(Buffer.from(await file.read(segmentHeaderBytes, 9)).toString()).toBe('again')
    expect(disk.operations).toBeGreaterThan(0)
  })
})

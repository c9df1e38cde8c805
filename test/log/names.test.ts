import { describe, expect, test } from 'vitest'
import {
  isStoreFolder,
  namespaceFolder,
  parseSegmentName,
  parseSnapshotName,
  segmentName,
  snapshotName,
} from '../../src/log/names.ts'

describe('names', () => {
  test('of segments sort as their numbers do, and come back', () => {
    const numbers = [1, 9, 10, 99, 12345, 9_999_999_999]
    expect(numbers.map(segmentName).toSorted()).toEqual(numbers.map(segmentName))
    expect(numbers.map(segmentName).map(parseSegmentName)).toEqual(numbers)
  })

  test.each(['1.log', '0000000001.log.new', '0000000001.txt', 'x0000000001.log', '00000000011.log', ''])(
    '%j is no segment',
    (name) => {
      expect(parseSegmentName(name)).toBeUndefined()
    },
  )

  test('of snapshots come back, namespaces included', () => {
    for (const subject of [
      'docstore',
      'vector_store/default',
      namespaceFolder('vector_store', 'Ünïcode/../x'),
      'journal',
    ])
      expect(parseSnapshotName(snapshotName(42, subject))).toEqual({ commit: 42, subject })
    for (const name of [
      '0000000042~docstore.snap.new',
      '42~docstore.snap',
      '0000000042~.snap',
      '0000000042~Doc.snap',
    ])
      expect(parseSnapshotName(name)).toBeUndefined()
  })

  test('of namespaces are their own where that is safe, and hashes elsewhere, never the same', () => {
    expect(namespaceFolder('vector_store', 'default')).toBe('vector_store/default')
    const names = [
      'Default',
      'a/b',
      '../../x',
      '',
      'a'.repeat(65),
      '__proto__',
      '.',
      'ü',
      'con.',
      `=${'0'.repeat(40)}`,
    ]
    const folders = names.map((name) => namespaceFolder('vector_store', name))
    expect(new Set(folders).size).toBe(names.length)
    expect(folders.filter((folder) => !isStoreFolder(folder))).toEqual([])
  })

  test.each([
    '',
    '.',
    '..',
    '/',
    'commits',
    'snapshots',
    '../x',
    'docstore/..',
    'docstore/a/b',
    'Docstore',
    'docstore/',
    'docstore\0',
    'docstore/=x',
    'a\n',
  ])('%j is no store’s folder', (folder) => {
    expect(isStoreFolder(folder)).toBe(false)
  })
})

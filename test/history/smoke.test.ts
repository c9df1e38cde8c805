import { test, expect } from 'vitest'
import { sampleJournal, directory, Places, contentsOf } from './sample-journal.ts'
import { verifyDirectory } from '../../src/history/verify.ts'
import { repairDirectory } from '../../src/history/repair.ts'
test('smoke', async () => {
  const { disk } = await sampleJournal()
  const report = await verifyDirectory(disk, directory)
  console.log(JSON.stringify(report, null, 1))
  console.log(JSON.stringify(await repairDirectory(disk, directory, '/data/new'), null, 1))
  expect(await contentsOf(disk, '/data/new')).toEqual(await contentsOf(disk, directory))
})

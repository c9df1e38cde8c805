import { expect, test } from 'vitest'
import { EmptyIndex } from '../../src/indices/empty-index.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'
import { document } from './support/documents.ts'
import { MemoryStorage } from './support/memory-storage.ts'

test('an empty index finds nothing, takes nothing in, and is loaded as what it is', async () => {
  const storageContext = new MemoryStorage()
  const index = await EmptyIndex.init({ storageContext, indexId: 'E' })
  expect(await index.asRetriever().retrieve('x')).toEqual([])
  expect((await index.refDocInfo()).size).toBe(0)
  await index.deleteNodes(['n'])
  await index.deleteRefDoc('d')
  const refused = { code: 'VARVE_BAD_OPTION', message: expect.stringContaining("'E' is an empty index") }
  await expect(index.insert(document('d', 'Text.'))).rejects.toMatchObject(refused)
  const loaded = await loadIndexFromStorage(storageContext)
  expect(loaded).toBeInstanceOf(EmptyIndex)
  expect(storageContext.docstore.nodes.size).toBe(0)
})

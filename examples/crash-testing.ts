// Your own code, crashed before every operation it causes on the disk: what can it leave behind?
import { Document, StorageContext } from 'varve'
import { MemoryDisk } from 'varve/testing'

const open = (disk: MemoryDisk) => StorageContext.fromDefaults({ persistDir: '/storage', disk })

async function editions(disk: MemoryDisk): Promise<string> {
  await using storage = await open(disk)
  const ids: string[] = []
  for await (const id of storage.docstore.ids()) ids.push(id)
  return ids.join(' and ') || 'nothing'
}

/** A disk on which the first edition is persisted. */
async function prepared(): Promise<{ disk: MemoryDisk; storage: StorageContext }> {
  const disk = new MemoryDisk()
  const storage = await open(disk)
  await storage.docstore.addDocuments([new Document({ id_: 'edition 1', text: 'It was a dark night.' })])
  await storage.persist()
  return { disk, storage }
}

// region yours
/** The code under test: the second edition takes the place of the first. */
async function publish(storage: StorageContext): Promise<void> {
  await storage.docstore.deleteDocument('edition 1')
  await storage.persist()
  await storage.docstore.addDocuments([new Document({ id_: 'edition 2', text: 'Morning came.' })])
  await storage.persist()
}

const publishAtOnce = (storage: StorageContext): Promise<void> =>
  storage.transaction({}, async () => {
    await storage.docstore.deleteDocument('edition 1')
    await storage.docstore.addDocuments([new Document({ id_: 'edition 2', text: 'Morning came.' })])
  })
// endregion

// region crash
/** Everything that a crash on the way could leave. What it finds is found again with the same seed. */
async function leftBehind(run: (storage: StorageContext) => Promise<void>, seed = 7): Promise<string[]> {
  const { disk, storage } = await prepared()
  const moments: MemoryDisk[] = []
  disk.onOperation = () => void moments.push(disk.snapshot())
  await run(storage)
  disk.onOperation = undefined
  moments.push(disk.snapshot())

  const found = new Set<string>()
  for (const moment of moments) {
    // All of it written, none of it, torn, zeros, garbage, in any order: up to 40 of the ways it can end.
    for (const image of moment.images({ most: 40, seed })) found.add(await editions(image.disk))
  }
  return [...found].sort()
}

console.log('two commits leave: ', (await leftBehind(publish)).join(', or '))
console.log('one commit leaves: ', (await leftBehind(publishAtOnce)).join(', or '))
// endregion

// region faults
for (const what of ['ENOSPC', 'failed sync'] as const) {
  const { disk, storage } = await prepared()
  disk.inject({ what, at: 0 }) // the first operation from now on to which this can happen
  await publishAtOnce(storage).catch((error: { code: string }) => console.log(`${what}: ${error.code}`))
  console.log(`after a restart: ${await editions(disk.crash('none'))}`)
}
// endregion

/* Prints:
two commits leave:  edition 1, or edition 2, or nothing
one commit leaves:  edition 1, or edition 2
ENOSPC: VARVE_DISK_FULL
after a restart: edition 1
failed sync: VARVE_OUTCOME_UNKNOWN
after a restart: edition 1
*/

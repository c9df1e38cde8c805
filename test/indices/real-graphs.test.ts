// Knowledge graphs that LlamaIndex wrote in other people's projects, each with a part missing.
import { existsSync } from 'node:fs'
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { StorageContext } from '../../src/context/storage-context.ts'
import { KnowledgeGraphIndex } from '../../src/indices/knowledge-graph-index.ts'
import { loadIndexFromStorage } from '../../src/indices/load-index.ts'

const real = join(import.meta.dirname, '../../../shared/llamaindex-dirs')
const open = async (persistDir: string, warnings: string[]) =>
  await StorageContext.fromDefaults({ persistDir, onWarning: (warning) => warnings.push(warning) })

test.skipIf(!existsSync(real))(
  'an index whose graph is missing answers with its nodes, and says so',
  async () => {
    const warnings: string[] = []
    await using storage = await open(join(real, 'kg-wey-gu-chatbot'), warnings)
    const index = await loadIndexFromStorage(storage, { onWarning: (warning) => warnings.push(warning) })
    expect(warnings).toEqual([
      expect.stringMatching(/158 entities, but the graph store holds no triplets.*graph_store\.json/),
    ])
    const hits = await index.asRetriever().retrieve('Which studio is Marvel Studios?')
    expect(hits.length).toBe(4)
    expect(hits[0]!.node.text).toContain('Marvel Studios')
    expect(await index.asRetriever().retrieve('Which studio is Marvel Studios?')).toEqual(hits)
  },
)

test.skipIf(!existsSync(real)).each([
  [
    'kg-tachikoma-missing-index',
    'What does Subgrounds require?',
    "('Subgrounds', 'requires', 'python >= 3.10')",
  ],
  ['kg-conjure-graphstore-only', 'Was I rich?', "('I', 'was', 'rich')"],
])('%s holds a graph but no index; one can be made of it, and kept', async (name, question, triplet) => {
  const directory = await mkdtemp(join(tmpdir(), 'varve-graph-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await cp(join(real, name), directory, { recursive: true })
  await chmod(directory, 0o755)
  const warnings: string[] = []
  const storageContext = await open(directory, warnings)
  expect(warnings).toContainEqual(expect.stringContaining('index_store.json: It is missing'))
  await expect(loadIndexFromStorage(storageContext)).rejects.toMatchObject({
    code: 'VARVE_NO_INDEX',
    message: expect.stringMatching(/holds triplets.*index_store\.json.*KnowledgeGraphIndex\.init/),
  })
  await KnowledgeGraphIndex.init({ storageContext })
  await storageContext.persist()
  await storageContext.close()

  await using again = await open(directory, [])
  const [hit] = await (await loadIndexFromStorage(again)).asRetriever().retrieve(question)
  expect(hit!.node.metadata['kg_rel_texts']).toContain(triplet)
})

/**
 * From one LlamaIndex to the other and back: what the real one of a language wrote is found again by the real one of the other, and by the first after the way back.
 *
 *   tsx test/parity/both.ts PYTHON PROJECT   as for run.ts
 */
import { readdirSync } from 'node:fs'
import process from 'node:process'
import { exportLlamaIndex, importLlamaIndex, type LlamaIndexDialect } from 'varve'
import { at, check, checkSame, comparing, readJson, toolOf, type Json, type Run } from './tools.ts'

const [python, project] = process.argv.slice(2) as [string, string]

/** The directories that both have indices for. */
const names = new Set(['vector', 'list', 'changed', 'nodes', 'nothing'])

/** Imports every directory, and exports it for the other. */
async function pass(from: string, to: string, format: LlamaIndexDialect): Promise<void> {
  for (const name of readdirSync(at(from)).filter((each) => names.has(each))) {
    const { commit } = await importLlamaIndex(at(from, name), { to: at(`${to}-journal`, name) })
    const source = commit ? at(`${to}-journal`, name) : at(from, name)
    const { omitted } = await exportLlamaIndex(source, { to: at(to, name), format })
    check(`${to}/${name}: nothing is left out`, omitted.length === 0, JSON.stringify(omitted))
  }
}

/** What both programs tell of a directory. */
interface Picture {
  nodes: Record<string, { text: unknown; metadata: unknown; related: Record<string, unknown> }>
  found: Record<string, unknown[]>
}

function picturesOf(dialect: LlamaIndexDialect, folder: string): Record<string, Picture> {
  runs[dialect]('picture', at(folder), at(`${folder}.json`))
  const toPicture = dialect === 'python' ? pictureOfPython : pictureOfTypeScript
  const told = Object.entries(readJson(`${folder}.json`) as Record<string, Json>)
  return Object.fromEntries(
    told.filter(([name]) => names.has(name)).map(([name, each]) => [name, toPicture(each)]),
  )
}

type Related = Record<string, Record<string, unknown> | Record<string, unknown>[]>
type Fields = { text?: string; metadata: unknown; relationships: Related }

function pictureOfPython({ nodes, retrieved }: Json): Picture {
  const all = Object.entries(nodes as Record<string, [string, string, Fields]>)
  return {
    nodes: Object.fromEntries(all.map(([id, [, , fields]]) => [id, nodeOf(fields, 'node_id')])),
    found: foundIn(retrieved as Json),
  }
}

function pictureOfTypeScript({ docs, retrieved }: Json): Picture {
  const all = Object.entries(docs as Record<string, Fields>)
  return {
    nodes: Object.fromEntries(all.map(([id, fields]) => [id, nodeOf(fields, 'nodeId')])),
    found: foundIn(retrieved as Json),
  }
}

const relationships = ['SOURCE', 'PREVIOUS', 'NEXT', 'PARENT', 'CHILD']

function nodeOf({ text, metadata, relationships: related }: Fields, idKey: string): Picture['nodes'][string] {
  const ids = Object.entries(related).map(([name, each]) => [
    relationships[Number(name) - 1] ?? name,
    [each].flat().map((info) => info[idKey]),
  ])
  return { text, metadata, related: Object.fromEntries(ids) as Record<string, unknown> }
}

/** Of the questions that both are asked: which nodes, and how similar. */
function foundIn(retrieved: Json): Picture['found'] {
  const asked = Object.entries(retrieved as Record<string, [string, number | null][]>).filter(
    ([key]) => /: (Who knows Bob\?|Varves are counted)$/.exec(key) !== null,
  )
  const toHit = ([id, score]: [string, number | null]) => [id, (score ?? 1).toFixed(5)]
  return Object.fromEntries(asked.map(([key, hits]) => [key, hits.map(toHit)]))
}

const runs: Record<LlamaIndexDialect, Run> = {
  python: toolOf('python', python),
  typescript: toolOf('typescript', project),
}

await comparing('python and typescript', async () => {
  for (const [home, abroad] of [
    ['python', 'typescript'],
    ['typescript', 'python'],
  ] as const) {
    runs[home]('write', at(home))
    await pass(home, `${home}-abroad`, abroad)
    await pass(`${home}-abroad`, `${home}-back`, home)
    const written = picturesOf(home, home)
    const pictures = { abroad: picturesOf(abroad, `${home}-abroad`), back: picturesOf(home, `${home}-back`) }
    for (const [name, picture] of Object.entries(written)) {
      const [nodes, found] = [picture.nodes, picture.found].map((each) => Object.keys(each).length)
      check(`${home}/${name} tells something`, name === 'nothing' || (nodes! > 0 && found === 2))
      for (const [place, other] of Object.entries(pictures))
        checkSame(`${home}/${name}, ${place}`, picture, other[name])
    }
  }
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { contestantNamed, missingPackages, peerNames } from '../../bench/contestants.ts'
import { nodeAt, nodeId, range } from '../../bench/nodes.ts'

const parent = mkdtempSync(join(tmpdir(), 'varve-contestants-'))
afterAll(() => rmSync(parent, { recursive: true }))

const nodes = 20
const changed = 3
const deleted = 4
const added = nodes

for (const name of ['varve', ...peerNames] as const) {
  test(`${name} gives back, in another opening, what it was given`, async ({ skip }) => {
    const missing = name === 'varve' ? [] : missingPackages(name)
    skip(missing.length > 0, `${missing.join(', ')}: not installed. Run npm ci --prefix bench.`)
    const contestant = await contestantNamed(name)
    const directory = mkdtempSync(join(parent, `${name}-`))
    const own = (at: number, version?: number) => contestant.own(nodeAt(at, version))

    const writer = await contestant.open(directory)
    await writer.load!([
      Array.from(range(0, 12), (at) => own(at)),
      Array.from(range(12, nodes), (at) => own(at)),
    ])
    await writer.put?.([own(added)])
    await writer.put?.([own(changed, 1)])
    await writer.delete?.([nodeId(deleted)])
    await writer.close()

    const reader = await contestant.open(directory)
    if (reader.get) {
      expect(await reader.get(nodeId(7))).toMatchObject({ text: nodeAt(7).text })
      expect(await reader.get(nodeId(added))).toMatchObject({ text: nodeAt(added).text })
      expect(await reader.get(nodeId(changed))).toMatchObject({ text: nodeAt(changed, 1).text })
    }
    if (reader.readAll) {
      const left = nodes + 1 - (reader.delete ? 1 : 0)
      const all = await reader.readAll()
      expect([all.nodes.length, all.vectors]).toEqual([left, left])
    }
    if (reader.topTen) {
      const hits = await reader.topTen(nodeAt(7).embedding)
      expect([hits.length, hits[0]]).toEqual([10, contestant.keeps === 'vectors only' ? '7' : nodeId(7)])
    }
    await reader.close()
  })
}

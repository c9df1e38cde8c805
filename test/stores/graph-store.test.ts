import { describe, expect, test } from 'vitest'
import type { Triplet } from '../../src/stores/contract.ts'
import type { JournalGraphStore } from '../../src/stores/graph-store.ts'
import { expectCode, inEveryWay, openStorage, type Stage } from './store-cases.ts'

const graph = (stage: Stage) => stage.storage.graphStore as JournalGraphStore

inEveryWay('a triplet is kept once, in the order it came', async (stage) => {
  await graph(stage).upsertTriplet('Alice', 'knows', 'Bob')
  await graph(stage).upsertTriplet('Alice', 'likes', 'Tea')
  await stage.step()
  await graph(stage).upsertTriplet('Alice', 'knows', 'Bob')
  await graph(stage).upsertTriplets([
    ['Bob', 'knows', 'Carol'],
    ['Alice', 'is', 'kind'],
    ['Alice', 'is', 'kind'],
  ])
  await stage.step()
  expect(await graph(stage).get('Alice')).toEqual([
    ['knows', 'Bob'],
    ['likes', 'Tea'],
    ['is', 'kind'],
  ])
  expect(await graph(stage).get('nobody')).toEqual([])
  expect(await graph(stage).triplets()).toEqual([
    ['Alice', 'knows', 'Bob'],
    ['Alice', 'likes', 'Tea'],
    ['Alice', 'is', 'kind'],
    ['Bob', 'knows', 'Carol'],
  ])
})

inEveryWay('delete deletes, and only that triplet', async (stage) => {
  await graph(stage).upsertTriplets([
    ['a', 'r', 'b'],
    ['a', 'r', 'c'],
    ['a', 's', 'b'],
  ])
  await stage.step()
  await graph(stage).delete('a', 'r', 'b')
  await graph(stage).delete('a', 'r', 'unknown')
  await graph(stage).delete('unknown', 'r', 'b')
  await stage.step()
  expect(await graph(stage).get('a')).toEqual([
    ['r', 'c'],
    ['s', 'b'],
  ])
  await graph(stage).delete('a', 'r', 'c')
  await graph(stage).delete('a', 's', 'b')
  await stage.step()
  expect(await graph(stage).getRelMap()).toEqual(new Map())
})

inEveryWay('no two triplets are mistaken for each other, whatever the texts', async (stage) => {
  const triplets: Triplet[] = [
    ['s', 'ab', 'c'],
    ['s', 'a', 'bc'],
    ['s', '1:a', 'bc'],
    ['__proto__', 'constructor', '../../x'],
    ['half \ud83d', '\ude00', '\uf8ff'],
  ]
  await graph(stage).upsertTriplets(triplets.slice(0, 4))
  await expectCode(graph(stage).upsertTriplets([triplets[4]!]), 'VARVE_BAD_ID')
  await stage.step()
  expect(await graph(stage).triplets()).toEqual(triplets.slice(0, 4))
  await graph(stage).delete('s', 'a', 'bc')
  await stage.step()
  expect(await graph(stage).get('s')).toEqual([
    ['ab', 'c'],
    ['1:a', 'bc'],
  ])
})

describe('getRelMap', () => {
  const chain: Triplet[] = [
    ['a', 'to', 'b'],
    ['b', 'to', 'c'],
    ['c', 'to', 'a'],
    ['x', 'to', 'y'],
  ]

  inEveryWay('walks from each subject, two steps by default', async (stage) => {
    await graph(stage).upsertTriplets(chain)
    await stage.step()
    expect(await graph(stage).getRelMap(['a', 'nobody'])).toEqual(
      new Map([
        ['a', chain.slice(0, 2)],
        ['nobody', []],
      ]),
    )
    expect(await graph(stage).getRelMap(['a'], { depth: 1 })).toEqual(new Map([['a', chain.slice(0, 1)]]))
    expect((await graph(stage).getRelMap(['a'], { depth: 7 })).get('a')).toHaveLength(7)
    expect([...(await graph(stage).getRelMap()).keys()]).toEqual(['a', 'b', 'c', 'x'])
    const limited = await graph(stage).getRelMap(['a', 'b'], { limit: 3 })
    expect([...limited.values()].flat()).toHaveLength(3)
    expect(await graph(stage).getRelMap(['a'], { depth: 0 })).toEqual(new Map([['a', []]]))
  })
})

test('empty and huge texts are refused', async () => {
  const stage = { storage: await openStorage({}) } as Stage
  await expectCode(graph(stage).upsertTriplet('', 'r', 'o'), 'VARVE_BAD_ID')
  await expectCode(graph(stage).upsertTriplet('s', 'x'.repeat(10_240), 'o'), 'VARVE_BAD_ID')
  await expectCode(graph(stage).upsertTriplet('s', 'r', 5 as unknown as string), 'VARVE_BAD_ID')
  expect(await graph(stage).triplets()).toEqual([])
})

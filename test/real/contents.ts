/**
 * What the commits of a test hold: everything is computed from a commit's number and its author, so that whoever opens the directory
 * can tell, value by value, whether it is the state of one commit.
 */
import { seededRandom, seedOf } from '../support/seeded.ts'
import { TextNode } from '../../src/index.ts'

/** How large a commit is. The nodes of the last `window` commits are there, those of older ones were deleted. */
export interface Shape {
  nodes: number
  textBytes: number
  idBytes: number
  dimensions: number
  window: number
}

export interface Author {
  number: number
  actor: string
}

/** There in every state, and of the last commit's making. */
export const latestId = 'latest'
export const indexId = 'index'
export const relation = 'written by'
/** Whoever wrote the JSON that commit 1 may come from. */
export const importer = 'LlamaIndex'

export function nodesOf({ number, actor }: Author, shape: Shape): TextNode[] {
  return idsOf(number, shape).map((id, index) => nodeOf({ number, actor }, { shape, id, index }))
}

export function idsOf(number: number, { nodes, idBytes }: Shape): string[] {
  return Array.from({ length: nodes }, (_, index) => `${number}/${index}/`.padEnd(idBytes, 'x'))
}

export function latestNode(author: Author, shape: Shape): TextNode {
  return nodeOf(author, { shape: { ...shape, textBytes: 20 }, id: latestId, index: -1 })
}

export function subjectOf(number: number): string {
  return `commit ${number}`
}

function nodeOf(
  { number, actor }: Author,
  { shape, id, index }: { shape: Shape; id: string; index: number },
): TextNode {
  const text = `Commit ${number} by ${actor}, node ${index}. `
  return new TextNode({
    id_: id,
    text: text.padEnd(shape.textBytes, text),
    metadata: { commit: number, actor },
    embedding: vectorOf({ number, actor }, index, shape.dimensions),
  })
}

function vectorOf({ number, actor }: Author, index: number, dimensions: number): number[] {
  const random = seededRandom(seedOf(number, actor, index))
  return Array.from({ length: dimensions }, () => Math.fround(random() - 0.5))
}

/** Triplets come from a function of the caller, or from the caller's own hands; both are checked before anything is built on them. */
import { shown, VarveError } from '../errors.ts'
import type { Triplet } from '../stores/contract.ts'
import type { BaseNode } from '../stores/node.ts'
import { inSteps, type LongWork } from './long-work.ts'
import { tripletKey } from '../stores/triplet-key.ts'

/** Finds what a text says as `[subject, relation, object]`. */
export type TripletExtractor = (
  text: string,
  options: { signal?: AbortSignal },
) => Iterable<Triplet> | Promise<Iterable<Triplet>>

/** Of each node its triplets, each once. The extractor is given the text with the metadata that is meant for language models. */
export async function extractTriplets(
  nodes: readonly BaseNode[],
  extract: TripletExtractor | undefined,
  { onProgress, signal }: LongWork,
): Promise<Map<string, Triplet[]>> {
  if (nodes.length > 0 && extract === undefined) {
    throw new VarveError('VARVE_BAD_OPTION', 'There is nothing to find the triplets of these nodes with.', {
      remedy: 'Pass { extractTriplets }, or add prepared ones with upsertTripletAndNode().',
    })
  }
  const found = new Map<string, Triplet[]>()
  await inSteps(nodes, { onProgress, signal, phase: 'extract', size: 1 }, async ([node]) => {
    const triplets = await answerOf(extract!, node!.getContent('LLM'), signal)
    found.set(node!.id_, checkTriplets(triplets, 'extractTriplets gave'))
  })
  return found
}

async function answerOf(
  extract: TripletExtractor,
  text: string,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  try {
    return await extract(text, { ...(signal && { signal }) })
  } catch (error) {
    // Whatever a stopped function throws, the caller asked to stop and gets the reason back.
    signal?.throwIfAborted()
    throw error
  }
}

/** Each once. `what`, such as `You gave`, begins the error. */
export function checkTriplets(triplets: unknown, what: string): Triplet[] {
  const isIterable = typeof triplets === 'object' && triplets !== null && Symbol.iterator in triplets
  if (!isIterable) throw noTriplet(what, triplets, 'no list of triplets')
  const checked = Array.from(triplets as Iterable<unknown>, (triplet) => checkTriplet(triplet, what))
  return [...new Map(checked.map((triplet) => [tripletKey(triplet), triplet])).values()]
}

function checkTriplet(triplet: unknown, what: string): Triplet {
  const isTriplet =
    Array.isArray(triplet) &&
    triplet.length === 3 &&
    triplet.every((part) => typeof part === 'string' && part !== '')
  if (!isTriplet) throw noTriplet(what, triplet, 'no triplet')
  return [...(triplet as unknown as Triplet)]
}

function noTriplet(what: string, given: unknown, fact: string): VarveError {
  const remedy = 'A triplet is a list of three texts, none empty: subject, relation, object.'
  return new VarveError('VARVE_BAD_OPTION', `${what} ${shown(given)}, which is ${fact}.`, { remedy })
}

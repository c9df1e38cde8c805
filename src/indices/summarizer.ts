/** Summaries come from a function of the caller; its answers are checked before anything is built on them. */
import { VarveError } from '../errors.ts'
import type { BaseNode } from '../stores/node.ts'

/** Answers what a text says, in short. `nodes` are those the text is made of. */
export type Summarizer = (
  text: string,
  nodes: readonly BaseNode[],
  options: { signal?: AbortSignal },
) => string | Promise<string>

export async function summarized(
  summarize: Summarizer,
  nodes: readonly BaseNode[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const text = nodes.map((node) => node.getContent('LLM')).join('\n\n')
  const summary = await answerOf(summarize, { text, nodes, signal })
  if (typeof summary === 'string') return summary
  const fact = `summarize gave ${summary === null ? 'null' : typeof summary}, which is no text.`
  throw new VarveError('VARVE_BAD_OPTION', fact)
}

interface Asked {
  text: string
  nodes: readonly BaseNode[]
  signal: AbortSignal | undefined
}

async function answerOf(summarize: Summarizer, { text, nodes, signal }: Asked): Promise<unknown> {
  try {
    return await summarize(text, nodes, { ...(signal && { signal }) })
  } catch (error) {
    // Whatever a stopped function throws, the caller asked to stop and gets the reason back.
    signal?.throwIfAborted()
    throw error
  }
}

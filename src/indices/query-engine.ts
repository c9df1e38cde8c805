/** Answers questions from what a retriever finds, in the words of the caller's language model. */
import { VarveError } from '../errors.ts'
import type { NodeWithScore, Query, RetrieveOptions, Retriever } from './retriever.ts'
import { asQuery } from './retriever.ts'

export type LanguageModel = (prompt: string, options: { signal?: AbortSignal }) => Promise<string>

export interface QueryEngineOptions {
  llm: LanguageModel
  /** Makes the prompt. The context is the text of all hits, with the metadata that is meant for language models. */
  prompt?: (question: string, context: string) => string
}

export interface QueryResponse {
  response: string
  sourceNodes: NodeWithScore[]
}

export class QueryEngine {
  readonly #retriever: Retriever
  readonly #llm: LanguageModel
  readonly #prompt: (question: string, context: string) => string

  constructor(retriever: Retriever, { llm, prompt = defaultPrompt }: QueryEngineOptions) {
    if (typeof llm !== 'function') {
      const remedy = 'Pass { llm }: a function that takes a prompt and resolves to text.'
      throw new VarveError('VARVE_BAD_OPTION', 'A query engine needs a language model.', { remedy })
    }
    this.#retriever = retriever
    this.#llm = llm
    this.#prompt = prompt
  }

  /** All hits go into one prompt. Without hits the model is not asked, and the response is LlamaIndex's `Empty Response`. */
  async query(query: string | Query, { signal }: RetrieveOptions = {}): Promise<QueryResponse> {
    const options = { ...(signal && { signal }) }
    const sourceNodes = await this.#retriever.retrieve(query, options)
    if (sourceNodes.length === 0) return { response: 'Empty Response', sourceNodes }
    signal?.throwIfAborted()
    const context = sourceNodes.map(({ node }) => node.getContent('LLM')).join('\n\n')
    const response = await this.#llm(this.#prompt(asQuery(query).queryStr ?? '', context), options)
    return { response, sourceNodes }
  }
}

function defaultPrompt(question: string, context: string): string {
  return [
    'Answer the question from the excerpts below and from nothing else. If they do not hold the answer, say so.',
    `Excerpts:\n\n${context}`,
    `Question: ${question}`,
    'Answer:',
  ].join('\n\n')
}

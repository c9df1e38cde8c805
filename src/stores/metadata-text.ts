/** Metadata and text as language models and embedding models see them: LlamaIndex's templates, filled in as Python does. */
import { pythonStr } from './python-repr.ts'
import { keysAsSpelled, pointerTo, type Spelling } from './spelling.ts'
import type { Metadata } from './relationships.ts'

export const MetadataMode = { ALL: 'ALL', EMBED: 'EMBED', LLM: 'LLM', NONE: 'NONE' } as const
export type MetadataMode = keyof typeof MetadataMode

export const defaultTextTemplate = '{metadata_str}\n\n{content}'
export const defaultMetadataTemplate = '{key}: {value}'
export const defaultMetadataSeparator = '\n'

export interface MetadataTextOptions {
  template: string
  separator: string
  excludedKeys?: readonly string[]
  /** Of the node; its metadata stands at `/metadata`. */
  spelling: Spelling
}

export function metadataText(metadata: Metadata, options: MetadataTextOptions): string {
  const { template, separator, excludedKeys = [], spelling } = options
  const excluded = new Set(excludedKeys)
  return keysAsSpelled(metadata, '/metadata', spelling)
    .filter((key) => !excluded.has(key))
    .map((key) => {
      const value = pythonStr(metadata[key], { spelling, pointer: pointerTo('/metadata', key) })
      return fillTemplate(template || defaultMetadataTemplate, { key, value })
    })
    .join(separator)
}

/** TypeScript writes empty templates, which mean the default. */
export function contentText(template: string, metadataStr: string, content: string): string {
  return fillTemplate(template || defaultTextTemplate, { metadata_str: metadataStr, content }).trim()
}

/** `{name}` is replaced, `{{` and `}}` are braces, all else stays. */
function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{|\}\}|\{(\w+)\}/g, (match, name: string | undefined) => {
    if (name === undefined) return match.charAt(0)
    return Object.hasOwn(values, name) ? (values[name] ?? '') : match
  })
}

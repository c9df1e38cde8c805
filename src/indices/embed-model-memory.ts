/**
 * An index remembers which model made its vectors, since those of two models cannot be compared. Imported indices know none and accept any;
 * they remember the first that adds to them.
 */
import { VarveError } from '../errors.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { EmbedModel } from './embed-model.ts'
import type { IndexStorage } from './index-storage.ts'
import type { StructHandle } from './struct-handle.ts'

/** Where a struct remembers a model. */
export interface EmbedModelFields {
  id: string
  dimensions: string
}

const textModelFields: EmbedModelFields = { id: 'embedModelId', dimensions: 'embedDimensions' }
export const imageModelFields: EmbedModelFields = {
  id: 'imageEmbedModelId',
  dimensions: 'imageEmbedDimensions',
}

/** What to remember when vectors of the model are added. */
export function rememberEmbedModel(
  view: StructView,
  model: EmbedModel | undefined,
  ...[dimensions, fields = textModelFields]: [dimensions: number | undefined, fields?: EmbedModelFields]
): StructChange[] {
  const isNews = model !== undefined && dimensions !== undefined && remembered(view, fields).id === undefined
  return isNews ? record(fields, model.id, dimensions) : []
}

export interface LoadedEmbedModel {
  storageContext: IndexStorage
  embedModel?: EmbedModel | undefined
  /** Takes this one, and remembers it from now on. */
  acceptEmbedModel?: boolean | undefined
}

/** Checks the model, if any, that an index is loaded with. */
export async function checkEmbedModel(
  struct: StructHandle,
  { storageContext, embedModel, acceptEmbedModel = false }: LoadedEmbedModel,
  fields = textModelFields,
): Promise<void> {
  if (embedModel === undefined) return
  const { id, dimensions } = remembered(await struct.current(), fields)
  const isSame =
    embedModel.id === id && (embedModel.dimensions ?? dimensions) === (dimensions ?? embedModel.dimensions)
  if (id === undefined || isSame) return
  if (!acceptEmbedModel) {
    const known = `'${id}'${dimensions === undefined ? '' : ` (${dimensions} dimensions)`}`
    const given = `'${embedModel.id}'${embedModel.dimensions === undefined ? '' : ` (${embedModel.dimensions} dimensions)`}`
    const fact = `The vectors of index '${struct.indexId}' were made by ${known}, not by ${given}.`
    throw new VarveError('VARVE_OTHER_EMBED_MODEL', fact, {
      embedModelId: id,
      givenEmbedModelId: embedModel.id,
    })
  }
  const { dimensions: given = null } = embedModel
  await unlessReadOnly(() =>
    storageContext.together(async () => {
      await struct.fresh()
      await struct.change(record(fields, embedModel.id, given))
    }),
  )
}

/** Who may only read may still query with a model of their choice. */
async function unlessReadOnly(remember: () => Promise<void>): Promise<void> {
  try {
    await remember()
  } catch (error) {
    if (!(error instanceof VarveError && error.code === 'VARVE_READ_ONLY')) throw error
  }
}

function record(fields: EmbedModelFields, id: string, dimensions: number | null): StructChange[] {
  return [
    { op: 'replace', field: fields.id, value: id },
    { op: 'replace', field: fields.dimensions, value: dimensions },
  ]
}

function remembered(
  view: StructView,
  fields: EmbedModelFields,
): { id: string | undefined; dimensions: number | undefined } {
  return {
    id: (view.value(fields.id) as string | null | undefined) ?? undefined,
    dimensions: (view.value(fields.dimensions) as number | null | undefined) ?? undefined,
  }
}

/**
 * An index remembers which model made its vectors, since those of two models cannot be compared. Imported indices know none and accept any;
 * they remember the first that adds to them.
 */
import { VarveError } from '../errors.ts'
import type { StructChange, StructView } from '../stores/index-struct.ts'
import type { EmbedModel } from './embed-model.ts'
import type { IndexStorage } from './index-storage.ts'
import type { StructHandle } from './struct-handle.ts'

/** What to remember when vectors of the model are added. */
export function rememberEmbedModel(
  view: StructView,
  model: EmbedModel | undefined,
  dimensions: number | undefined,
): StructChange[] {
  const isNews = model !== undefined && dimensions !== undefined && remembered(view).id === undefined
  return isNews ? record(model.id, dimensions) : []
}

export interface EmbedModelCheck {
  struct: StructHandle
  embedModel: EmbedModel
  acceptEmbedModel: boolean
  storageContext: IndexStorage
}

export async function checkEmbedModel(check: EmbedModelCheck): Promise<void> {
  const { struct, embedModel, acceptEmbedModel, storageContext } = check
  const { id, dimensions } = remembered(await struct.current())
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
  await recordUnlessReadOnly(storageContext, struct, embedModel)
}

/** Who may only read may still query with a model of their choice. */
async function recordUnlessReadOnly(
  storage: IndexStorage,
  struct: StructHandle,
  model: EmbedModel,
): Promise<void> {
  try {
    await storage.together(async () => {
      await struct.fresh()
      await struct.change(record(model.id, model.dimensions ?? null))
    })
  } catch (error) {
    if (!(error instanceof VarveError && error.code === 'VARVE_READ_ONLY')) throw error
  }
}

function record(id: string, dimensions: number | null): StructChange[] {
  return [
    { op: 'replace', field: 'embedModelId', value: id },
    { op: 'replace', field: 'embedDimensions', value: dimensions },
  ]
}

function remembered(view: StructView): { id: string | undefined; dimensions: number | undefined } {
  return {
    id: (view.value('embedModelId') as string | null | undefined) ?? undefined,
    dimensions: (view.value('embedDimensions') as number | null | undefined) ?? undefined,
  }
}

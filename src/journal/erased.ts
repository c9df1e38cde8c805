/** What a reader is told who asks for what was erased. */
import { VarveError } from '../errors.ts'
import { FrameReader, isFault } from '../log/frame-reader.ts'
import type { SegmentFiles } from '../log/segment-files.ts'

/** The item itself, where it is known by its id, or where it stood. */
export function erased({ commit, ...fields }: { commit: number; id?: string; cause?: unknown }): VarveError {
  const what = fields.id === undefined ? 'What stood here' : `doc_id ${fields.id}`
  return new VarveError('VARVE_ERASED', `${what} was erased by commit ${commit}.`, { commit, ...fields })
}

/** The commit that erased the item whose payload begins at a place, or an item of the frame that begins there. */
export async function erasedAt(
  files: SegmentFiles,
  {
    folder,
    segment,
    offset,
    item,
  }: { folder: string; segment: number; offset: number; item?: number | undefined },
): Promise<number | undefined> {
  if (item !== undefined) return files.erasures.in(folder, segment)(offset)?.get(item)
  const start = files.erasures.frameBefore(folder, segment, offset)
  if (start === undefined) return undefined
  const file = await files.open(folder, segment)
  const frame = await new FrameReader(file, files.erasures.in(folder, segment)).read(start, await file.size())
  return isFault(frame) ? undefined : frame.items.find((found) => found.offset === offset)?.erasedBy
}

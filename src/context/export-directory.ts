/** `exportLlamaIndex`: from a directory to a directory. */
import type { ExportReport } from '../interop/export-report.ts'
import type { ExportOptions } from '../interop/llamaindex-export.ts'
import type { OpenOptions } from './open-journal.ts'
import { StorageContext } from './storage-context.ts'

/**
 * Writes what a persist directory holds, Varve's or LlamaIndex's own, into a new or empty directory as LlamaIndex's files. The source is not changed, and may have a writer.
 * Of an open context: `storage.exportTo()`. Throws what that does, and what opening does.
 */
export async function exportLlamaIndex(
  from: string,
  { to, format, onProgress, signal, ...options }: ExportOptions & Pick<OpenOptions, 'disk' | 'onWarning'>,
): Promise<ExportReport> {
  const storage = await StorageContext.fromDefaults({ ...options, persistDir: from, readOnly: true })
  try {
    return await storage.exportTo(to, { format, onProgress, signal })
  } finally {
    await storage.close()
  }
}

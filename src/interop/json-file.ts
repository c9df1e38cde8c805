/** Writes a text of any size into a new file, piece by piece, and makes it durable. */
import type { Disk } from '../disk/disk.ts'
import { joinPath } from '../log/names.ts'
import type { ExportedFile } from './export-report.ts'

/** Characters written at a time. */
const writtenAtOnce = 2 ** 20

export interface TextFile {
  name: string
  pieces: Iterable<string>
}

/** `onWrite` is told the file's characters and bytes so far, before each write; what it throws ends the work. */
export async function writeTextFile(
  disk: Disk,
  directory: string,
  { name, pieces }: TextFile,
  onWrite: (characters: number, bytes: number) => void,
): Promise<ExportedFile> {
  const file = await disk.create(joinPath(directory, name))
  try {
    let text = ''
    let characters = 0
    let sizeBytes = 0
    const flush = async (): Promise<void> => {
      characters += text.length
      const bytes = Buffer.from(text)
      text = ''
      onWrite(characters, sizeBytes + bytes.length)
      await file.write([bytes], sizeBytes)
      sizeBytes += bytes.length
    }
    for (const piece of pieces) {
      text += piece
      if (text.length >= writtenAtOnce) await flush()
    }
    await flush()
    await file.sync()
    return { name, sizeBytes }
  } finally {
    await file.close()
  }
}

/** A context that goes on with the commits of a directory, one by one. */
import { strictEqual } from 'node:assert'
import { StorageContext, type OpenOptions } from '../../src/index.ts'
import { Authors, change } from './change.ts'
import { subjectOf, type Author, type Shape } from './contents.ts'
import { orImported } from './json-directory.ts'
import { authorsOf, expectContents } from './look.ts'

export interface WriterOptions extends OpenOptions {
  actor: string
  shape: Shape
  fromJson?: boolean
}

export class Writer {
  readonly storage: StorageContext
  readonly authors: Authors
  readonly #options: WriterOptions
  /** The authors as of the last commit, while something is changed. */
  #before: readonly Author[] | undefined

  private constructor(storage: StorageContext, authors: Authors, options: WriterOptions) {
    this.storage = storage
    this.authors = authors
    this.#options = options
  }

  /** Takes no lock yet: the first change does. */
  static async open(directory: string, options: WriterOptions): Promise<Writer> {
    const { actor: _, shape, fromJson = false, onWarning = () => {}, ...rest } = options
    const storage = await StorageContext.fromDefaults({ ...rest, onWarning, persistDir: directory })
    const authors = orImported(await authorsOf(storage, shape), fromJson)
    return new Writer(storage, new Authors(authors, shape), options)
  }

  get last(): number {
    return this.authors.last
  }

  /** Something was changed since the last commit. */
  get isChanged(): boolean {
    return this.#before !== undefined
  }

  /** Changes and persists; answers the number. */
  async commit(): Promise<number> {
    await this.change()
    return this.persist()
  }

  async change(): Promise<void> {
    const { actor, shape } = this.#options
    const { author, leaving } = this.authors.next(actor)
    await this.storage.together(() => change(this.storage, author, { shape, leaving }))
    this.#before = this.authors.all
    this.authors.add(author)
  }

  async persist(): Promise<number> {
    const commit = await this.storage.persist({ actor: this.#options.actor, message: subjectOf(this.last) })
    strictEqual(commit?.number, this.last)
    this.#before = undefined
    return this.last
  }

  /** The same in a transaction. */
  async transaction(): Promise<void> {
    try {
      await this.storage.transaction({ actor: this.#options.actor }, () => this.change())
      this.#before = undefined
    } catch (error) {
      if (!this.storage.hasPendingChanges) this.forget()
      throw error
    }
  }

  /** What was changed since the last commit was rolled back. */
  forget(): void {
    if (this.#before) this.authors.reset(this.#before)
    this.#before = undefined
  }

  /** Everything, pending changes included, is as it should be. */
  async expectAll(): Promise<void> {
    await expectContents(this.storage, this.authors.all, this.#options.shape)
  }

  async close(): Promise<void> {
    await this.storage.close()
  }
}

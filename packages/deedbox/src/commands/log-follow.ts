import type { Stats } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { LineSplitter } from './line-splitter.ts'
import { unreadable } from './log-files.ts'

/** Bytes that one look at a file reads, at most. */
const pieceLength = 256 * 1024

/** A file that is read as it grows, like `tail -F`: by its name, through rotation, truncation and absence. */
export class FollowedFile {
  readonly #name: string
  readonly #tell: (sentence: string) => void
  readonly #splitter = new LineSplitter()
  #file: FileHandle | undefined
  #position = 0
  #isMissed = false

  /** @param tell a sentence about what happened to the file */
  constructor(name: string, tell: (sentence: string) => void) {
    this.#name = name
    this.#tell = tell
  }

  /**
   * What has come since the last look: lines that are whole, an empty list while a line is unfinished.
   * @returns `undefined` when there is nothing new
   * @throws UnreadableFile for what will not become a file by waiting
   */
  async next(): Promise<Buffer[] | undefined> {
    try {
      return await this.#next()
    } catch (error) {
      throw unreadable(this.#name, error)
    }
  }

  /** Lets go of the file. @returns what stands after its last line break */
  async close(): Promise<Buffer[]> {
    await this.#file?.close()
    this.#file = undefined
    return this.#splitter.end()
  }

  async #next(): Promise<Buffer[] | undefined> {
    if (this.#file === undefined && !(await this.#open())) return undefined
    const lines = await this.#read()
    if (lines !== undefined || this.#file === undefined) return lines
    const [own, named] = await Promise.all([this.#file.stat(), this.#named()])
    if (own.size < this.#position) {
      this.#tell(`${this.#name} was truncated; reading it from its start.`)
      this.#position = 0
      return this.#splitter.end()
    }
    if (named === undefined || (named.ino === own.ino && named.dev === own.dev)) return undefined
    // Whoever writes may have added to the old file until just before the new one came.
    const last = await this.#read()
    if (last !== undefined) return last
    const rest = await this.close()
    this.#position = 0
    await this.#open()
    return rest
  }

  async #open(): Promise<boolean> {
    try {
      this.#file = await open(this.#name, 'r')
      if (this.#isMissed) this.#tell(`${this.#name} is there now.`)
      this.#isMissed = false
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      if (!this.#isMissed) this.#tell(`${this.#name} does not exist; waiting for it.`)
      this.#isMissed = true
      return false
    }
  }

  async #read(): Promise<Buffer[] | undefined> {
    const { bytesRead, buffer } = (await this.#file?.read(
      Buffer.allocUnsafeSlow(pieceLength),
      0,
      pieceLength,
      this.#position,
    )) ?? { bytesRead: 0, buffer: Buffer.alloc(0) }
    if (bytesRead === 0) return undefined
    this.#position += bytesRead
    return this.#splitter.push(buffer.subarray(0, bytesRead))
  }

  /** The file that has the name now. */
  async #named(): Promise<Stats | undefined> {
    try {
      return await stat(this.#name)
    } catch {
      return undefined
    }
  }
}

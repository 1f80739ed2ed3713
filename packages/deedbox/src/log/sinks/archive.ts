import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { errorMessage } from '../../safety/index.ts'
import type { LossListener } from '../sink.ts'
import type { FileRetention, FileSettings } from './file-options.ts'
import { takeLock } from './lock-file.ts'
import { type ArchivedFile, archivedFiles } from './rotated-names.ts'

/** Milliseconds until a lock that another process holds is tried again, and for how long. */
const lockPause = 50
const longestWait = 60_000

const dayLength = 86_400_000

/**
 * Milliseconds from the last write to a file that was put aside until it is taken to be complete: another process may have
 * looked whether it is in place still, and been kept from writing since.
 */
const quietTime = 500

/** The full files of one log: deletes those that are not kept, and compresses the others, in the background. */
export class Archive {
  readonly #settings: FileSettings
  readonly #tell: LossListener
  #pass: Promise<void> | undefined
  #isWanted = false

  /** @param tell told, with 0 lines, what goes wrong */
  constructor(settings: FileSettings, tell: LossListener) {
    this.#settings = settings
    this.#tell = tell
  }

  /** Has the files looked through, soon or once more. */
  tidy(): void {
    const { compress, keep } = this.#settings
    if (!compress && Object.values(keep).every(rule => rule === undefined)) return
    this.#isWanted = true
    this.#pass ??= this.#run()
  }

  /** Resolves when nothing is left to do. */
  async done(): Promise<void> {
    await this.#pass
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false
      try {
        // Two processes would each compress the same file, and take it away from one another.
        const unlock = await waitForLock(`${this.#settings.path}.archive.lock`)
        try {
          await this.#tidyOnce()
        } finally {
          unlock()
        }
      } catch (error) {
        this.#tell(0, `full files are not tidied: ${errorMessage(error)}`)
      }
    }
    this.#pass = undefined
  }

  async #tidyOnce(): Promise<void> {
    const { path, keep, compress } = this.#settings
    const { files, parts } = archivedFiles(path)
    for (const part of parts) await rm(part, { force: true })
    for (const file of files) {
      if (!this.#isKept(file, keep)) await rm(file.path, { force: true })
      else if (compress && !file.isCompressed) await compressFile(file.path)
    }
  }

  #isKept(file: ArchivedFile, { files, days, when }: FileRetention): boolean {
    if (files !== undefined && file.index >= files) return false
    if (days !== undefined && Date.now() - file.time.getTime() > days * dayLength) return false
    try {
      return when?.({ path: file.path, time: file.time, index: file.index }) ?? true
    } catch (error) {
      this.#tell(0, `keep.when threw: ${errorMessage(error)}`)
      return true
    }
  }
}

async function waitForLock(path: string): Promise<() => void> {
  const until = performance.now() + longestWait
  for (;;) {
    const unlock = takeLock(path)
    if (unlock !== undefined) return unlock
    if (performance.now() > until) throw new Error(`another process holds ${path}`)
    await new Promise(resolve => setTimeout(resolve, lockPause))
  }
}

/**
 * Puts `x.gz` in the place of `x`, at no time without one of the two. Another process that has not seen yet that the
 * file was put aside may still write to it, so `x` goes once nobody has written to it for a while, and what came after
 * is appended, as a further member of the gzip file.
 */
async function compressFile(path: string): Promise<void> {
  const part = `${path}.gz.part`
  const source = await open(path, 'r')
  try {
    let done = 0
    for (let size = await sizeOf(source); done < size || done === 0; size = await sizeOf(source)) {
      await compressRange(source, done, size, part)
      done = size
      await quiet(source)
      if (size === 0) break
    }
    await rename(part, `${path}.gz`)
    await rm(path)
    for (let size = await sizeOf(source); done < size; size = await sizeOf(source)) {
      await compressRange(source, done, size, `${path}.gz`)
      done = size
    }
  } catch (error) {
    await rm(part, { force: true })
    // Deleted from outside meanwhile.
    if (existsSync(path)) throw error
  } finally {
    await source.close()
  }
}

async function quiet(source: FileHandle): Promise<void> {
  const { mtimeMs } = await source.stat()
  const left = quietTime - Math.max(0, Date.now() - mtimeMs)
  if (left > 0) await new Promise(resolve => setTimeout(resolve, left))
}

async function sizeOf(file: FileHandle): Promise<number> {
  return (await file.stat()).size
}

async function compressRange(source: FileHandle, start: number, end: number, target: string): Promise<void> {
  const { mode } = await source.stat()
  const input = end === 0 ? [] : createReadStream('', { fd: source, start, end: end - 1, autoClose: false })
  await pipeline(input, createGzip(), createWriteStream(target, { flags: start === 0 ? 'w' : 'a', mode }))
}

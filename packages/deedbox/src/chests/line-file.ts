import { randomUUID } from 'node:crypto'
import { fstatSync, ftruncateSync } from 'node:fs'
import { access, constants, type FileHandle, link, open, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { errorMessage } from '../safety/index.ts'

/** How lines stand in a file. */
export interface LineFormat {
  /** The first line of a file, with its line break; empty for none. */
  readonly header: string
  /**
   * Ends a line that somebody began and did not finish. Where it has a quotation mark, that is blanked again if the line turns
   * out to have been finished meanwhile.
   * @param isQuoted whether the line has an odd number of quotation marks
   * @param mark nobody else's
   */
  closing(isQuoted: boolean, mark: string): string
}

/** Readable and writable by its owner alone: what is tracked is nobody else's concern. */
const mode = 0o600
/** A line without an end is looked at so often, after so many milliseconds each: somebody may be writing it. */
const looks = 20
const betweenLooks = 50
const chunk = 65_536
const lineBreak = 0x0a
const quotationMark = 0x22

/**
 * A file that several processes append lines to. What is appended at once stands together; that is up to the system, which
 * puts each write at the end (`O_APPEND`). The file is opened for each: it may be moved away at any time.
 */
export class LineFile {
  readonly path: string
  readonly #format: LineFormat
  readonly #fsync: boolean
  #isHeaderKnown = false
  #isFolderSynced = false

  constructor(path: string, format: LineFormat, fsync: boolean) {
    this.path = path
    this.#format = format
    this.#fsync = fsync
  }

  /**
   * Appends whole lines. What could not be written whole is taken back, unless somebody else has written since.
   * @throws Error saying why it could not
   */
  async append(lines: string): Promise<void> {
    const { header } = this.#format
    if (header !== '') await this.#create(header)
    const handle = await open(this.path, 'a+', mode)
    try {
      const left = await torn(handle)
      if ((await handle.stat()).size > 0) await this.#checkHeader(handle)
      if (left !== undefined) await this.#end(handle, left)
      const { size } = await handle.stat()
      await this.#write(handle, size, Buffer.from((size === 0 ? header : '') + lines))
    } finally {
      await handle.close()
    }
  }

  /** Why nothing could be appended now; `undefined` if it could. */
  async problem(): Promise<string | undefined> {
    try {
      const folder = dirname(this.path)
      const found = await stat(this.path).catch(notFound)
      if (found === undefined) await access(folder, constants.W_OK | constants.X_OK)
      else if (!found.isFile()) return 'it is no file'
      else await access(this.path, constants.R_OK | constants.W_OK)
      const { bavail } = await statfs(folder)
      return bavail === 0 ? 'the disk is full' : undefined
    } catch (error) {
      return errorMessage(error)
    }
  }

  /** Of several who make it at once, one does, and nobody ever sees it without its first line. */
  async #create(header: string): Promise<void> {
    if ((await stat(this.path).catch(notFound)) !== undefined) return
    const made = `${this.path}.${randomUUID()}.new`
    try {
      await writeFile(made, header, { mode, flag: 'wx' })
      // Where there are no links, whoever finds the file empty writes the first line.
      await link(made, this.path).catch(() => {})
    } finally {
      await rm(made, { force: true })
    }
  }

  async #write(handle: FileHandle, size: number, bytes: Buffer): Promise<void> {
    let written = 0
    try {
      written = (await handle.write(bytes)).bytesWritten
      if (written < bytes.length) throw new Error('there was room for a part of it alone; the disk is full')
      if (this.#fsync) await this.#sync(handle)
    } catch (error) {
      takeBack(handle, size, written)
      throw error
    }
  }

  async #sync(handle: FileHandle): Promise<void> {
    await handle.sync()
    if (this.#isFolderSynced) return
    const folder = await open(dirname(this.path))
    try {
      await folder.sync()
      this.#isFolderSynced = true
    } finally {
      await folder.close()
    }
  }

  async #checkHeader(handle: FileHandle): Promise<void> {
    if (this.#isHeaderKnown) return
    const header = Buffer.from(this.#format.header)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(header.length), 0, header.length, 0)
    if (!header.equals(buffer.subarray(0, bytesRead)))
      throw new Error('its first line names other columns; nothing is written to it')
    this.#isHeaderKnown = true
  }

  /**
   * Ends a line. Somebody else may have been faster, or only have been slow with the rest of it: a quotation mark that closes
   * nothing would open a quotation, which all rows behind it would be part of.
   */
  async #end(handle: FileHandle, { end, isQuoted }: Torn): Promise<void> {
    const closing = Buffer.from(this.#format.closing(isQuoted, randomUUID()))
    await this.#write(handle, (await handle.stat()).size, closing)
    const mark = closing.indexOf(quotationMark)
    if (mark < 0) return
    const { size } = await handle.stat()
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - end)), 0, size - end, end)
    const at = buffer.subarray(0, bytesRead).indexOf(closing)
    if (at <= 0) return
    // What is opened to append appends whatever the position is.
    const inPlace = await open(this.path, 'r+')
    try {
      const [{ ino }, now] = await Promise.all([handle.stat(), inPlace.stat()])
      // It has been moved away meanwhile, and nothing more comes behind it.
      if (ino === now.ino) await inPlace.write(' ', end + at + mark)
    } finally {
      await inPlace.close()
    }
  }
}

/** A line that has no end. */
interface Torn {
  /** The end of the file. */
  readonly end: number
  readonly isQuoted: boolean
}

/** The last line, where it has no end and nobody is about to write it. */
async function torn(handle: FileHandle): Promise<Torn | undefined> {
  let { size } = await handle.stat()
  for (let look = 1; ; look++) {
    const left = await unfinished(handle, size)
    if (left.bytes === 0) return undefined
    if (look > looks) return { end: size, isQuoted: left.isQuoted }
    await pause(betweenLooks)
    const now = await handle.stat()
    if (now.size !== size) look = 0
    size = now.size
  }
}

/** What stands behind the last line break. */
async function unfinished(
  handle: FileHandle,
  size: number,
): Promise<{ readonly bytes: number; readonly isQuoted: boolean }> {
  let bytes = 0
  let quotes = 0
  // The last byte says it nearly always.
  for (let end = size, length = 1; end > 0; length = chunk) {
    const start = Math.max(0, end - length)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start)
    const at = buffer.subarray(0, bytesRead).lastIndexOf(lineBreak)
    for (const byte of buffer.subarray(at + 1, bytesRead)) if (byte === quotationMark) quotes++
    bytes += bytesRead - at - 1
    if (at >= 0 || bytesRead === 0) break
    end = start
  }
  return { bytes, isQuoted: quotes % 2 === 1 }
}

/** Both calls in one go, so that hardly anybody can write in between. */
function takeBack({ fd }: FileHandle, size: number, written: number): void {
  try {
    if (fstatSync(fd).size === size + written) ftruncateSync(fd, size)
  } catch {
    // The next one who writes ends the line.
  }
}

function notFound(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
  throw error
}

import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { errorMessage } from '../../safety/index.ts'
import type { LossListener } from '../sink.ts'
import type { FileSettings } from './file-options.ts'
import { takeLock } from './lock-file.ts'
import { freeName } from './rotated-names.ts'
import { firstLine, fitting, isFull } from './rotation.ts'
import { lineCount, TextBytes } from './text-bytes.ts'

/** Milliseconds until a rotation is tried again that the file system refused. */
const rotationPause = 1_000

/** Milliseconds after which a write has ended. */
const quietTime = 100

/** The file under one path, opened for appending, which other processes may write and rotate as well. */
interface OpenFile {
  readonly fd: number
  readonly ino: number
  readonly dev: number
  /** Pipes and devices are not rotated, nor looked at. */
  readonly isRegular: boolean
}

/** Appends whole lines to a file, and puts a full one aside. */
export class LogFile {
  readonly #settings: FileSettings
  readonly #tell: LossListener
  readonly #onRotated: () => void
  readonly #bytes = new TextBytes()
  #file: OpenFile | undefined
  /** Whether the last line has no end, because the disk was full. */
  #isTorn = false
  #rotatesFrom = 0

  /**
   * @param tell told what is lost
   * @param onRotated called when a file was put aside and nothing is written to it here any more
   */
  constructor(settings: FileSettings, tell: LossListener, onRotated: () => void) {
    this.#settings = settings
    this.#tell = tell
    this.#onRotated = onRotated
  }

  /** @throws what the file system throws */
  open(): void {
    const { path, mode } = this.#settings
    mkdirSync(dirname(path), { recursive: true })
    const fd = openToAppend(path, mode)
    const stat = fstatSync(fd)
    const { ino, dev, size, mtimeMs } = stat
    const before = this.#file
    this.#file = { fd, ino, dev, isRegular: stat.isFile() }
    if (before !== undefined) closeSync(before.fd)
    // Also a file that another process is about to write seems to have no end.
    const isQuiet = this.#file.isRegular && size > 0 && Date.now() - mtimeMs > quietTime
    this.#isTorn = isQuiet && endsWith(fd, size, lineBreak) === false
  }

  /** Writes lines, each with its end. What cannot be written is told. Never throws. */
  write(text: string): void {
    let left = this.#bytes.encode(text)
    try {
      let mayRotate = this.#settings.rotates
      while (left.length > 0) {
        const file = this.#current()
        const rotates = mayRotate && file.isRegular
        const size = rotates ? this.#sizeFor(file, firstLine(left)) : 0
        if (size === 'full') {
          // One that cannot be put aside now goes on being filled: no line is lost for it.
          mayRotate = this.#rotate(file)
          continue
        }
        const limit = rotates ? this.#settings.size : undefined
        const end = limit === undefined ? left.length : fitting(left, limit - size)
        this.#append(file, left, end)
        left = left.subarray(end)
      }
    } catch (error) {
      const rest = error instanceof Unwritten ? left.subarray(error.written) : left
      this.#tell(lineCount(rest), errorMessage(error instanceof Unwritten ? error.cause : error))
    }
  }

  /** Opens the path anew, whatever it leads to now. The file that is open stays so if that fails. Never throws. */
  reopen(): boolean {
    try {
      this.open()
      return true
    } catch (error) {
      this.#tell(0, errorMessage(error))
      return false
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file.fd)
    this.#file = undefined
  }

  /** The file that the path leads to. */
  #current(): OpenFile {
    if (this.#file === undefined) this.open()
    else if (this.#file.isRegular && (this.#settings.reopen || this.#settings.rotates)) {
      if (!this.#isInPlace(this.#file)) this.reopen()
    }
    return this.#file as OpenFile
  }

  #isInPlace({ ino, dev }: OpenFile): boolean {
    const stat = statSync(this.#settings.path, { throwIfNoEntry: false })
    return stat !== undefined && stat.ino === ino && stat.dev === dev
  }

  #sizeFor(file: OpenFile, next: number): number | 'full' {
    const now = Date.now()
    const { size, mtimeMs } = fstatSync(file.fd)
    if (now < this.#rotatesFrom) return size
    try {
      return isFull(this.#settings, { size, lastWrite: mtimeMs }, next, now) ? 'full' : size
    } catch (error) {
      this.#tell(0, `rotate.when threw: ${errorMessage(error)}`)
      return size
    }
  }

  /** Whether there is another file under the path now. */
  #rotate(file: OpenFile): boolean {
    const { path } = this.#settings
    try {
      const unlock = takeLock(`${path}.lock`)
      if (unlock === undefined) return false
      try {
        // Another process may have been first.
        if (!this.#isInPlace(file)) return this.reopen()
        renameSync(path, freeName(path, fstatSync(file.fd).mtime))
        if (!this.reopen()) return false
      } finally {
        unlock()
      }
    } catch (error) {
      this.#rotatesFrom = Date.now() + rotationPause
      this.#tell(0, `no rotation: ${errorMessage(error)}`)
      return false
    }
    this.#onRotated()
    return true
  }

  /** Writes the first so many bytes, with one system call unless the disk is full. */
  #append(file: OpenFile, lines: Buffer, end: number): void {
    let at = 0
    try {
      if (this.#isTorn) writeSync(file.fd, '\n')
      this.#isTorn = false
      while (at < end) at += writeSync(file.fd, lines, at, end - at)
    } catch (cause) {
      const torn = lines.subarray(lines.subarray(0, at).lastIndexOf(0x0a) + 1, at)
      this.#isTorn = torn.length > 0 && !this.#takeBack(file, torn)
      throw new Unwritten(at, cause)
    }
  }

  /** Takes the beginning of a line away again, if the file still ends with it. */
  #takeBack({ fd, isRegular }: OpenFile, torn: Buffer): boolean {
    if (!isRegular) return false
    try {
      const { size } = fstatSync(fd)
      if (endsWith(fd, size, torn) !== true) return false
      ftruncateSync(fd, size - torn.length)
      return true
    } catch {
      return false
    }
  }
}

/** So many bytes were written, and then it failed. */
class Unwritten extends Error {
  readonly written: number

  constructor(written: number, cause: unknown) {
    super('not written', { cause })
    this.written = written
  }
}

const lineBreak = Buffer.from('\n')

/** Also to be read, to see its end: by the path another file may be found already. */
function openToAppend(path: string, mode: number): number {
  try {
    return openSync(path, 'a+', mode)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error
    return openSync(path, 'a', mode)
  }
}

/** `undefined` where the file may be written and not read. */
function endsWith(fd: number, size: number, bytes: Buffer): boolean | undefined {
  const last = Buffer.alloc(bytes.length)
  try {
    return readSync(fd, last, 0, last.length, size - last.length) === last.length && last.equals(bytes)
  } catch {
    return undefined
  }
}

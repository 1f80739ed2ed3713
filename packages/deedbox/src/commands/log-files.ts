import { closeSync, openSync, readSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { LineSplitter } from './line-splitter.ts'

/** Bytes that are read at a time. */
const pieceLength = 256 * 1024

/** The argument that means standard input. */
export const standardInput = '-'

/** A file that could not be read, or not to its end. */
export class UnreadableFile extends Error {
  override readonly name: string = 'UnreadableFile'
}

/**
 * The lines of a file or of standard input, as many at a time as one piece of it holds. What begins as gzip does is
 * unpacked.
 * @param onBytes told how many bytes were read, as they lie in the file
 * @throws UnreadableFile
 */
export async function* readLines(
  name: string,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer[], void, undefined> {
  const splitter = new LineSplitter()
  try {
    for await (const piece of unpacked(pieces(name, onBytes))) {
      const lines = splitter.push(piece)
      if (lines.length > 0) yield lines
    }
  } catch (error) {
    const rest = splitter.end()
    if (rest.length > 0) yield rest
    throw unreadable(name, error)
  }
  const rest = splitter.end()
  if (rest.length > 0) yield rest
}

/** Says why a file cannot be read. */
export function unreadable(name: string, error: unknown): UnreadableFile {
  const { code, message } = error as NodeJS.ErrnoException
  const file = name === standardInput ? 'standard input' : name
  if (code === 'ENOENT') return new UnreadableFile(`${file} does not exist.`)
  if (code === 'EISDIR') return new UnreadableFile(`${file} is a folder: name the files in it.`)
  if (String(code).startsWith('Z_'))
    return new UnreadableFile(`${file} is not whole: its compressed data break off or are damaged.`)
  return new UnreadableFile(`${file} cannot be read: ${message}.`)
}

/** The bytes of a file, 0 for what has no length. */
export async function lengthOf(name: string): Promise<number> {
  if (name === standardInput) return 0
  try {
    return (await stat(name)).size
  } catch {
    return 0
  }
}

/** Whether a file is packed by gzip, told by its first bytes (RFC 1952). */
export function isPacked(name: string): boolean {
  try {
    const file = openSync(name, 'r')
    try {
      const bytes = Buffer.alloc(2)
      return readSync(file, bytes, 0, 2, 0) === 2 && startsAsGzip(bytes)
    } finally {
      closeSync(file)
    }
  } catch {
    return false
  }
}

function startsAsGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

async function* pieces(name: string, onBytes: (count: number) => void): AsyncGenerator<Buffer> {
  if (name === standardInput) {
    // Leaving the loop closes standard input, so that the process can end while its writer goes on.
    for await (const piece of process.stdin) yield piece as Buffer
    return
  }
  const file = await open(name, 'r')
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(pieceLength), 0, pieceLength)
      if (bytesRead === 0) return
      onBytes(bytesRead)
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function* unpacked(source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const { done, value: first } = await source.next()
  if (done) return
  const whole = continued(first, source)
  if (!startsAsGzip(first)) {
    yield* whole
    return
  }
  const gunzip = createGunzip({ chunkSize: pieceLength })
  // What breaks is thrown by the loop below.
  pipeline(Readable.from(whole), gunzip, () => undefined)
  for await (const piece of gunzip) yield piece as Buffer
}

async function* continued(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield first
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

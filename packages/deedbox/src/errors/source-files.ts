import { readFileSync, statSync } from 'node:fs'
import { findSourceMap } from 'node:module'
import { isAbsolute } from 'node:path'
import { type Origin, type OriginFinder, originFinder, readSourceMap } from './source-map.ts'

/** Reads the text of a file; `undefined` if there is none to read. May throw. */
export type SourceReader = (path: string) => string | undefined

/** Larger files are not looked into: nobody reads a bundle of that size line by line. */
const largestFile = 4_194_304
const mostFiles = 64
const mostCharacters = 16_777_216

interface Known {
  readonly text: string | undefined
  lines: readonly string[] | undefined
  finder: OriginFinder | undefined
  isTraced: boolean
}

/** The sources of a process, as far as its errors need them. Bounded: what was used longest ago is forgotten. */
export class SourceFiles {
  readonly #read: SourceReader
  readonly #known = new Map<string, Known>()
  #characters = 0

  constructor(read: SourceReader = readSource) {
    this.#read = read
  }

  /** The lines of a file; `undefined` for one that cannot be read. */
  lines(path: string): readonly string[] | undefined {
    const known = this.#file(path)
    known.lines ??= known.text?.split(/\r?\n/)
    return known.lines
  }

  /** Where a place of a compiled file came from; `undefined` if the file has no source map. */
  origin(path: string, line: number, column: number): Origin | undefined {
    const known = this.#file(path)
    if (!known.isTraced) {
      known.isTraced = true
      known.finder = this.#finder(path, known.text)
    }
    const origin = guarded(() => known.finder?.(line, column))
    if (origin?.content !== undefined && !this.#known.has(origin.file))
      this.#keep(origin.file, origin.content)
    return origin
  }

  /**
   * The same for a place as the running code has it, and not as the stack of an error tells it. They differ where
   * sources are compiled while they are loaded: only Node knows their maps.
   */
  originOfRunning(path: string, url: string, line: number, column: number): Origin | undefined {
    const payload = guarded(() => findSourceMap(url) ?? findSourceMap(path))?.payload
    const finder = guarded(() => originFinder(payload, path))
    return finder === undefined ? this.origin(path, line, column) : guarded(() => finder(line, column))
  }

  #finder(path: string, text: string | undefined): OriginFinder | undefined {
    if (text !== undefined) {
      const own = guarded(() => readSourceMap(path, text, this.#read))
      if (own !== undefined) return own
    }
    // A map of Node's whose source is the file itself has done its work before the stack was written.
    const payload = guarded(() => findSourceMap(path))?.payload
    if (payload === undefined) return undefined
    const finder = guarded(() => originFinder(payload, path))
    return finder === undefined ? undefined : (line, column) => otherFile(path, finder(line, column))
  }

  #file(path: string): Known {
    const known = this.#known.get(path)
    if (known !== undefined) {
      this.#known.delete(path)
      this.#known.set(path, known)
      return known
    }
    return this.#keep(
      path,
      guarded(() => this.#read(path)),
    )
  }

  #keep(path: string, text: string | undefined): Known {
    const known: Known = {
      text: typeof text === 'string' && text.length <= largestFile ? text : undefined,
      lines: undefined,
      finder: undefined,
      isTraced: false,
    }
    this.#known.set(path, known)
    this.#characters += known.text?.length ?? 0
    for (const [oldest, { text: forgotten }] of this.#known) {
      if (this.#known.size <= mostFiles && this.#characters <= mostCharacters) break
      if (oldest === path) break
      this.#known.delete(oldest)
      this.#characters -= forgotten?.length ?? 0
    }
    return known
  }
}

/** Reads ordinary files of a bearable size: a stack may name a device or a pipe, which never ends. */
function readSource(path: string): string | undefined {
  if (!isAbsolute(path)) return undefined
  const status = statSync(path, { throwIfNoEntry: false })
  // Maps are larger than what they map.
  if (status === undefined || !status.isFile() || status.size > 4 * largestFile) return undefined
  return readFileSync(path, 'utf8')
}

function otherFile(path: string, origin: Origin | undefined): Origin | undefined {
  return origin === undefined || origin.file === path ? undefined : origin
}

function guarded<Value>(read: () => Value | undefined): Value | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

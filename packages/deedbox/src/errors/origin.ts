import { SourceFiles } from './source-files.ts'
import type { Origin } from './source-map.ts'
import { filePath } from './stack-frames.ts'

const sources = new SourceFiles()

/**
 * Where a place of running code came from, by the source map that its file names; `undefined` for code that was not
 * compiled, or whose map cannot be read. Reads a file and its map once. Never throws.
 * @param script a path or a file URL, as V8 has it
 */
export function originOf(script: string, line: number, column: number): Origin | undefined {
  if (!/^(?:file:|\/|[a-z]:[\\/]).*\.[cm]?js$/i.test(script)) return undefined
  try {
    return sources.origin(filePath(script), line, column)
  } catch {
    return undefined
  }
}

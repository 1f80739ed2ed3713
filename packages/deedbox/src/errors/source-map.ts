import { SourceMap, type SourceMapPayload } from 'node:module'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { filePath } from './stack-frames.ts'

/** Where a piece of compiled code came from. */
export interface Origin {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** The whole original, where the map brings it. */
  readonly content: string | undefined
}

/** Traces places of one compiled file back. */
export type OriginFinder = (line: number, column: number) => Origin | undefined

/** The comment that names the map is in the last lines of a file. */
const tail = 4_096
const tailOfInline = 8_388_608

/**
 * The finder for a compiled file that names its source map, as a file beside it or as a data URL.
 * @param read reads a file; `undefined` if it cannot be read
 */
export function readSourceMap(
  file: string,
  text: string,
  read: (path: string) => string | undefined,
): OriginFinder | undefined {
  const url = mapUrl(text)
  if (url === undefined) return undefined
  if (url.startsWith('data:')) return originFinder(parse(dataOf(url)), file)
  const path = pathFrom(file, url)
  return path === undefined ? undefined : originFinder(parse(read(path)), path)
}

/** The finder for a map that is read already. */
export function originFinder(
  payload: SourceMapPayload | undefined,
  beside: string,
): OriginFinder | undefined {
  if (payload === undefined) return undefined
  const map = new SourceMap(payload)
  return (line, column) => {
    const entry = map.findEntry(line - 1, Math.max(0, column - 1))
    if (!('originalSource' in entry) || entry.generatedLine !== line - 1) return undefined
    const source = String(entry.originalSource)
    const at = payload.sources.indexOf(source)
    const root = payload.sourceRoot ?? ''
    const file = pathFrom(beside, root === '' ? source : `${root.replace(/\/$/, '')}/${source}`)
    if (file === undefined) return undefined
    const content: unknown = payload.sourcesContent?.[at]
    return {
      file,
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
      content: typeof content === 'string' ? content : undefined,
    }
  }
}

function mapUrl(text: string): string | undefined {
  let start = text.lastIndexOf('# sourceMappingURL=', text.length)
  if (start < 0) return undefined
  const comment = text.slice(start - 2, start)
  if (comment !== '//' && comment !== '/*') return undefined
  start += '# sourceMappingURL='.length
  const rest = text.slice(start, start + tailOfInline)
  const url = /^[^\s*'"]*/.exec(rest)?.[0] ?? ''
  // A comment in mid-file belongs to something that was copied into it.
  return url === '' || text.length - start - url.length > tail ? undefined : url
}

function dataOf(url: string): string | undefined {
  const comma = url.indexOf(',')
  if (comma < 0) return undefined
  const data = url.slice(comma + 1)
  return url.slice(0, comma).endsWith(';base64')
    ? Buffer.from(data, 'base64').toString('utf8')
    : decodeURIComponent(data)
}

function parse(json: string | undefined): SourceMapPayload | undefined {
  if (json === undefined) return undefined
  // Some servers put a line before it that keeps browsers from running it.
  const payload = JSON.parse(json.replace(/^\)]}'[^\n]*\n/, '')) as SourceMapPayload
  return Array.isArray(payload.sources) ? payload : undefined
}

/** The path that an address in a map means; `undefined` for one that is no file here. */
function pathFrom(file: string, address: string): string | undefined {
  if (address.startsWith('file:')) return filePath(address)
  if (/^[a-z][\w+.-]+:/i.test(address)) return undefined
  if (/^[a-z]:[\\/]/i.test(address)) return address
  if (/^[a-z]:[\\/]/i.test(file)) return resolve(dirname(file), address)
  return fileURLToPath(new URL(address, pathToFileURL(file)))
}

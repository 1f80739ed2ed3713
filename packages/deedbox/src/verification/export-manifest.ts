import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isObject } from './json-object.ts'

/** The last line of an export; without it an export is not whole. */
export interface ExportManifest {
  format: string
  /** The origin. */
  ledger: string
  verifier_keys: string[]
  /** The signed note that every receipt of the export is for. */
  checkpoint: string
  tree_size: number
  from: number
  /** Exclusive. */
  to: number
  /** Empty: every entry of `[from, to)` has to be there. */
  filters: Record<string, unknown>
  count: number
  exported_at: string
  /** Hex, of all bytes before the manifest's line. */
  sha256: string
}

/** No line of an export is longer: a payload of 64 KiB in the longest spelling of JSON, meta, and a receipt. */
export const maxLineLength: number = 1024 * 1024

/** Whether a file looks like an export: JSON lines, the first of which is an event or already the manifest. */
export function isExport(file: string): boolean {
  const start = readAt(file, 0, 16).toString('latin1')
  return start.startsWith('{"index":') || start.startsWith('{"manifest":')
}

/** The manifest and where its line begins, or undefined when the file does not end in one. */
export function readManifest(file: string): { manifest: ExportManifest; offset: number } | undefined {
  const { size, tail } = readTail(file)
  const end = tail.at(-1) === 0x0a ? tail.length - 1 : tail.length
  const start = tail.subarray(0, end).lastIndexOf(0x0a) + 1
  const manifest = manifestOf(tail.subarray(start, end).toString('utf8'))
  return manifest === undefined ? undefined : { manifest, offset: size - tail.length + start }
}

function readTail(file: string): { size: number; tail: Buffer } {
  const handle = openSync(file, 'r')
  try {
    const { size } = fstatSync(handle)
    const tail = Buffer.alloc(Math.min(size, maxLineLength))
    const read = readSync(handle, tail, 0, tail.length, size - tail.length)
    return { size, tail: tail.subarray(0, read) }
  } finally {
    closeSync(handle)
  }
}

function readAt(file: string, position: number, length: number): Buffer {
  const handle = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(length)
    return bytes.subarray(0, readSync(handle, bytes, 0, length, position))
  } finally {
    closeSync(handle)
  }
}

const texts = ['format', 'ledger', 'checkpoint', 'exported_at', 'sha256'] as const
const numbers = ['tree_size', 'from', 'to', 'count'] as const

function manifestOf(line: string): ExportManifest | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  const manifest = isObject(value) ? value.manifest : undefined
  if (!isObject(manifest) || typeof manifest.format !== 'string') return undefined
  const { verifier_keys: keys, filters } = manifest
  const isWhole =
    texts.every(name => typeof manifest[name] === 'string') &&
    numbers.every(name => Number.isSafeInteger(manifest[name]) && Number(manifest[name]) >= 0) &&
    Array.isArray(keys) &&
    keys.every(key => typeof key === 'string') &&
    isObject(filters)
  // A later version may have other members; its format says that it is one.
  return isWhole || manifest.format !== exportFormat ? (manifest as unknown as ExportManifest) : undefined
}

/** The format that this version reads. */
export const exportFormat: string = 'deedbox-export/v1'

import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import type { RotatedFile } from './file-options.ts'

/** A file that was full, as its name tells. */
export interface ArchivedFile extends RotatedFile {
  readonly isCompressed: boolean
}

/** A name for a file that is full: `app.2026-11-29T18-04-05Z.log`, and with a number if there is one already. */
export function freeName(path: string, lastWrite: Date): string {
  const stem = path.slice(0, path.length - extname(path).length)
  const time = lastWrite.toISOString().slice(0, 19).replaceAll(':', '-')
  for (let number = 0; ; number++) {
    const name = `${stem}.${time}Z${number === 0 ? '' : `.${number}`}${extname(path)}`
    if (!existsSync(name) && !existsSync(`${name}.gz`)) return name
  }
}

/**
 * The files that were made by `freeName` from this path, the youngest first, and what an interrupted compression
 * has left behind.
 */
export function archivedFiles(path: string): { readonly files: ArchivedFile[]; readonly parts: string[] } {
  const folder = dirname(path)
  const extension = extname(path)
  const start = `${basename(path, extension)}.`
  const parts: string[] = []
  const found: { path: string; time: Date; number: number; isCompressed: boolean }[] = []
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(start)) continue
    const [, date, h, m, s, number, end] =
      /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)Z(?:\.(\d+))?(\D.*)?$/.exec(name.slice(start.length)) ?? []
    const time = new Date(`${date}T${h}:${m}:${s}Z`)
    if (Number.isNaN(time.getTime())) continue
    const after = end ?? ''
    if (after === `${extension}.gz.part`) parts.push(join(folder, name))
    if (after !== extension && after !== `${extension}.gz`) continue
    const isCompressed = after !== extension
    found.push({ path: join(folder, name), time, number: Number(number ?? 0), isCompressed })
  }
  found.sort((a, b) => b.time.getTime() - a.time.getTime() || b.number - a.number)
  const files = found.map(({ path, time, isCompressed }, index) => ({ path, time, isCompressed, index }))
  return { files, parts }
}

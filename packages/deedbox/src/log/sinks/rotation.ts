import type { FileSettings } from './file-options.ts'

/** When the period began that an instant belongs to, in milliseconds since 1970. Local time, so that summer time counts. */
export function periodStart(instant: number, { every, at }: Pick<FileSettings, 'every' | 'at'>): number {
  if (every === undefined) return 0
  if (typeof every === 'number') return Math.floor(instant / every) * every
  const time = new Date(instant)
  if (every === 'hour') return time.setMinutes(0, 0, 0)
  const start = new Date(time.getFullYear(), time.getMonth(), time.getDate(), 0, at)
  if (start.getTime() > instant) start.setDate(start.getDate() - 1)
  // Sunday is day 0, and the last one of a week that begins on Monday.
  if (every === 'week') start.setDate(start.getDate() - ((start.getDay() + 6) % 7))
  return start.getTime()
}

/** Whether a file is full before the next line. An empty one never is. */
export function isFull(
  settings: FileSettings,
  file: { readonly size: number; readonly lastWrite: number },
  next: number,
  now: number,
): boolean {
  if (file.size === 0) return false
  if (settings.size !== undefined && file.size + next > settings.size) return true
  if (periodStart(now, settings) > periodStart(file.lastWrite, settings)) return true
  const { path, rotateWhen } = settings
  return rotateWhen?.({ path, size: file.size, next, lastWrite: new Date(file.lastWrite) }) === true
}

/** How many of the bytes, whole lines of them, go into a file with so much room; one line at least. */
export function fitting(lines: Buffer, room: number): number {
  if (lines.length <= room) return lines.length
  const end = room <= 0 ? -1 : lines.lastIndexOf(0x0a, room - 1)
  return end >= 0 ? end + 1 : firstLine(lines)
}

/** Bytes of the first line, with its line break. */
export function firstLine(lines: Buffer): number {
  const end = lines.indexOf(0x0a)
  return end < 0 ? lines.length : end + 1
}

import { resolve } from 'node:path'
import { byteSize, ConfigurationError } from '../../safety/index.ts'

/** What a rule of rotation is asked about. */
export interface RotationFacts {
  readonly path: string
  /** Bytes in the file, and bytes of the next line. */
  readonly size: number
  readonly next: number
  /** When the file's last line was written, as far as the file system knows. */
  readonly lastWrite: Date
}

/** When a file is full. The first of the rules that says so is followed; an empty file is never rotated. */
export interface FileRotation {
  /** The most that a file holds: bytes, or a text like `10 MB` (kB, MB, GB: powers of 1,000). */
  readonly size?: number | string | undefined
  /** A new file each hour, day or week (on Monday) of local time, or each so many milliseconds since 1970. */
  readonly every?: 'hour' | 'day' | 'week' | number | undefined
  /** At what time of day, `HH:MM` of local time; with `every: 'day'` (also when `every` is left out) or `'week'`. */
  readonly at?: string | undefined
  /** Asked before lines are written. */
  readonly when?: ((facts: RotationFacts) => boolean) | undefined
}

/** A file that was full. */
export interface RotatedFile {
  readonly path: string
  /** The time in its name. */
  readonly time: Date
  /** 0 is the youngest. */
  readonly index: number
}

/** Which of the full files are kept; one that any of the rules gives up is deleted. */
export interface FileRetention {
  /** How many, at most. */
  readonly files?: number | undefined
  /** For how many days. */
  readonly days?: number | undefined
  /** Whether this one is kept. */
  readonly when?: ((file: RotatedFile) => boolean) | undefined
}

/** A file that takes lines. (FA-51) */
export interface FileSinkOptions {
  /** Its folder is made where it is missing. */
  readonly path: string
  /** Default: never. */
  readonly rotate?: FileRotation | undefined
  /** Default: all. Only files are deleted that have the name of a rotated file of this one. */
  readonly keep?: FileRetention | undefined
  /** Whether full files are compressed, in the background. Default `false`. */
  readonly compress?: 'gzip' | false | undefined
  /** Opens the file at the first line, not at once. Default `false`. */
  readonly lazy?: boolean | undefined
  /** The file's permissions where it is made. Default `0o666`, less the process's mask. */
  readonly mode?: number | undefined
  /** Whether a file that was renamed or removed from outside is made anew for the next lines. Default `true`. */
  readonly reopen?: boolean | undefined
}

/** Options, checked, with defaults. */
export interface FileSettings {
  readonly path: string
  readonly size: number | undefined
  readonly every: 'hour' | 'day' | 'week' | number | undefined
  /** Minutes since midnight. */
  readonly at: number
  readonly rotateWhen: FileRotation['when']
  readonly rotates: boolean
  readonly keep: FileRetention
  readonly compress: boolean
  readonly lazy: boolean
  readonly mode: number
  readonly reopen: boolean
}

/**
 * Checks the options of a file.
 * @throws ConfigurationError naming the option
 */
export function readFileOptions(options: FileSinkOptions): FileSettings {
  const {
    path,
    rotate = {},
    keep = {},
    compress = false,
    lazy = false,
    mode = 0o666,
    reopen = true,
  } = options
  if (typeof path !== 'string' || path === '') fail('path', 'the path of a file is needed.')
  if (compress !== 'gzip' && compress !== false) fail('compress', "use 'gzip' or false.")
  for (const [name, rule] of [
    ['rotate.when', rotate.when],
    ['keep.when', keep.when],
  ] as const) {
    if (rule !== undefined && typeof rule !== 'function') fail(name, 'a function is needed.')
  }
  if (keep.files !== undefined && !(Number.isInteger(keep.files) && keep.files >= 0))
    fail('keep.files', 'a whole number of files from 0 on is needed.')
  if (keep.days !== undefined && !(keep.days > 0)) fail('keep.days', 'a number of days above 0 is needed.')
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) fail('mode', 'permissions like 0o640 are needed.')
  const size = rotate.size === undefined ? undefined : readSize(rotate.size)
  const every = rotate.every ?? (rotate.at === undefined ? undefined : 'day')
  checkEvery(every, rotate.at)
  return {
    path: resolve(path),
    size,
    every,
    at: readTimeOfDay(rotate.at ?? '00:00'),
    rotateWhen: rotate.when,
    rotates: size !== undefined || every !== undefined || rotate.when !== undefined,
    keep,
    compress: compress === 'gzip',
    lazy,
    mode,
    reopen,
  }
}

function fail(option: string, problem: string): never {
  throw new ConfigurationError(`fileSink.${option}`, problem)
}

function readSize(size: number | string): number {
  return byteSize(size) ?? fail('rotate.size', 'a number of bytes from 1 on is needed, or a text like 10 MB.')
}

function checkEvery(every: FileSettings['every'], at: string | undefined): void {
  if (typeof every === 'number') {
    if (!Number.isInteger(every) || every < 1)
      fail('rotate.every', 'a whole number of milliseconds is needed.')
  } else if (every !== undefined && !['hour', 'day', 'week'].includes(every)) {
    fail('rotate.every', 'use hour, day, week or a number of milliseconds.')
  }
  if (at !== undefined && every !== 'day' && every !== 'week')
    fail('rotate.at', 'a time of day goes with every: day or week.')
}

function readTimeOfDay(at: string): number {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(at) ?? []
  if (hours === undefined) fail('rotate.at', 'use HH:MM, from 00:00 to 23:59.')
  return Number(hours) * 60 + Number(minutes)
}

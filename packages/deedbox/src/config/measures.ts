import { range } from './plain-settings.ts'
import { fitting, type Setting, type SettingOptions, settingOf, Unsuitable } from './setting.ts'

/** A time in code: milliseconds, or a text with its unit. */
export type DurationText = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** A size in code: bytes, or a text with its unit; `kB` is 1,000 bytes and `KiB` 1,024. */
export type BytesText = number | `${number}${'B' | 'kB' | 'MB' | 'GB' | 'KiB' | 'MiB' | 'GiB'}`

/** Units from the smallest to the largest. */
type Units = readonly (readonly [name: string, size: number])[]

const times: Units = [
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]

const sizes: Units = [
  ['B', 1],
  ['kB', 1_000],
  ['KiB', 1_024],
  ['MB', 1_000_000],
  ['MiB', 1_048_576],
  ['GB', 1_000_000_000],
  ['GiB', 1_073_741_824],
]

/**
 * A time, as a whole number of milliseconds. Its variable holds a unit: `500ms`, `5s`, `1.5h`; a bare number could
 * be of anything, so only 0 does without.
 * @throws TypeError for bounds that are no durations
 */
export function duration(
  options: SettingOptions<DurationText> & { readonly min?: DurationText; readonly max?: DurationText } = {},
): Setting<number, DurationText> {
  return measure(options, times, 'a time with its unit, such as 500ms, 5s, 2m or 1h', ['0'])
}

/**
 * A size, as a whole number of bytes: `512`, `64KiB`, `1.5MB`, in any case.
 * @throws TypeError for bounds that are no sizes
 */
export function bytes(
  options: SettingOptions<BytesText> & { readonly min?: BytesText; readonly max?: BytesText } = {},
): Setting<number, BytesText> {
  return measure(options, sizes, 'a size such as 512, 64KiB or 10MB', 'any')
}

function measure<Given extends number | string>(
  options: SettingOptions<Given> & { readonly min?: Given; readonly max?: Given },
  units: Units,
  what: string,
  bare: readonly string[] | 'any',
): Setting<number, Given> {
  const inUnits = (written: string): number => {
    const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(written) ?? []
    const size = units.find(([name]) => name.toLowerCase() === unit.toLowerCase())?.[1]
    const isBare = unit === '' && amount !== '' && (bare === 'any' || bare.includes(amount))
    if (size === undefined && !isBare) throw new Unsuitable()
    return whole(Number(amount) * (size ?? 1))
  }
  const measured = (given: Given): number => (typeof given === 'number' ? whole(given) : inUnits(given))
  const bound = (given: Given | undefined, none: number): number => {
    try {
      return given === undefined ? none : measured(given)
    } catch {
      throw new TypeError(`The bound "${given}" is not ${what}.`)
    }
  }
  const least = bound(options.min, 0)
  const most = bound(options.max, Number.MAX_SAFE_INTEGER)
  const check = (value: number): number => fitting(value, value >= least && value <= most)
  return settingOf(options, {
    expects: options.min === undefined && options.max === undefined ? what : `${what}, ${range(options)}`,
    repeats: true,
    read: written => check(inUnits(written)),
    accept: given => check(measured(given)),
    show: value => {
      const [name, size] = units.findLast(unit => value !== 0 && value % unit[1] === 0) ?? ['', 1]
      return name === 'B' || name === '' ? value : `${value / size}${name}`
    },
  })
}

/** Half a millisecond is none, and numbers that JavaScript does not hold exactly are refused. */
function whole(value: number): number {
  const rounded = Math.round(value)
  return fitting(rounded, Number.isSafeInteger(rounded) && rounded >= 0)
}

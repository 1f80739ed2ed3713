import { fitting, type Setting, type SettingOptions, settingOf, Unsuitable } from './setting.ts'

/** Bounds of a number, both included. */
export interface NumberBounds {
  readonly min?: number
  readonly max?: number
}

/** Bounds of a text's length in characters, both included, and what it looks like. */
export interface TextBounds {
  readonly min?: number
  readonly max?: number
  readonly pattern?: RegExp
}

/** A text, without blanks around it. Messages never repeat it. */
export function text(options: SettingOptions<string> & TextBounds = {}): Setting<string> {
  const { min, max, pattern } = options
  const length = min === undefined && max === undefined ? '' : ` of ${count(options)} characters`
  const accept = (value: string): string =>
    fitting(
      value,
      typeof value === 'string' &&
        value !== '' &&
        value.length >= (min ?? 0) &&
        value.length <= (max ?? Number.POSITIVE_INFINITY) &&
        (pattern === undefined || value.search(pattern) >= 0),
    )
  return settingOf(options, {
    expects: `a text${length}${pattern === undefined ? '' : ` that matches ${pattern}`}`,
    repeats: false,
    read: accept,
    accept,
  })
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** A decimal number. */
export function number(options: SettingOptions<number> & NumberBounds = {}): Setting<number> {
  return numeric(options, 'a number', decimal, Number.isFinite)
}

/** A whole number that JavaScript holds exactly. */
export function integer(options: SettingOptions<number> & NumberBounds = {}): Setting<number> {
  return numeric(options, 'a whole number', /^[+-]?\d+$/, Number.isSafeInteger)
}

function numeric(
  options: SettingOptions<number> & NumberBounds,
  what: string,
  shape: RegExp,
  isValid: (value: unknown) => boolean,
): Setting<number> {
  const { min, max } = options
  const accept = (value: number): number =>
    fitting(
      value,
      isValid(value) &&
        value >= (min ?? Number.NEGATIVE_INFINITY) &&
        value <= (max ?? Number.POSITIVE_INFINITY),
    )
  return settingOf(options, {
    expects: min === undefined && max === undefined ? what : `${what} ${range(options)}`,
    repeats: true,
    read: written => accept(fitting(Number(written), shape.test(written))),
    accept,
  })
}

/** Bounds in words; at least one is there. */
export function range({
  min,
  max,
}: {
  readonly min?: number | string
  readonly max?: number | string
}): string {
  if (min === undefined) return `up to ${max}`
  return max === undefined ? `from ${min}` : `from ${min} to ${max}`
}

/** Bounds of a count in words; at least one is there. */
export function count({ min, max }: NumberBounds): string {
  if (min === undefined) return `up to ${max}`
  return max === undefined ? `at least ${min}` : `${min} to ${max}`
}

const words: Readonly<Record<string, boolean>> = {
  ...{ '1': true, yes: true, true: true, on: true },
  ...{ '0': false, no: false, false: false, off: false },
}

/** Yes or no: `1`, `yes`, `true`, `on`, or `0`, `no`, `false`, `off`, in any case. (DF-54) */
export function flag(options: SettingOptions<boolean> = {}): Setting<boolean> {
  return settingOf(options, {
    expects: 'true or false (also 1, yes, on, 0, no, off)',
    repeats: true,
    read: written => {
      const value = Object.hasOwn(words, written.toLowerCase()) ? words[written.toLowerCase()] : undefined
      if (value === undefined) throw new Unsuitable()
      return value
    },
    accept: value => fitting(value, typeof value === 'boolean'),
  })
}

/**
 * One of some words, in any case; the value is spelled as here.
 * @throws TypeError for an empty list
 */
export function oneOf<const Word extends string>(
  choices: readonly Word[],
  options: SettingOptions<NoInfer<Word>> = {},
): Setting<Word> {
  if (choices.length === 0) throw new TypeError('oneOf() takes the words to choose from, such as ["a", "b"].')
  const find = (written: string): Word => {
    const lower = String(written).toLowerCase()
    const found = choices.find(word => word === written) ?? choices.find(word => word.toLowerCase() === lower)
    if (found === undefined) throw new Unsuitable()
    return found
  }
  return settingOf(options, {
    expects: choices.length === 1 ? String(choices[0]) : `one of ${choices.join(', ')}`,
    repeats: true,
    read: find,
    accept: find,
  })
}

/** What every setting may say about itself. */
export interface SettingOptions<Given> {
  /** The variable, as it is; without it the name in the shape tells, behind the prefix. */
  readonly name?: string
  /** What holds where the variable is absent and the profile has nothing. Without one the setting is required. */
  readonly default?: Given
  /** Whether the value stands in no message and no dump. Names like `apiKey` are secret without it. */
  readonly secret?: boolean
  /** What the setting is for, in a few words; stands in the message when it is missing. */
  readonly about?: string
}

/**
 * One typed setting of a service, made by `text()`, `number()` and their like. `Given` is what defaults and
 * profiles may say, where that is more than the value itself: `'5s'` for a duration.
 */
export interface Setting<Value, Given = Value> {
  readonly name: string | undefined
  readonly secret: boolean
  readonly about: string | undefined
  /** What the variable takes, as a message says it: `a whole number from 1 to 65535`. */
  readonly expects: string
  /** Whether a message may repeat a text that does not fit. */
  readonly repeats: boolean
  readonly isOptional: boolean
  readonly default: Given | undefined
  /**
   * Reads the text of a variable, which is not empty.
   * @throws Unsuitable
   */
  read(text: string): Value
  /**
   * Takes a value that stands in code: a default or a profile's.
   * @throws Unsuitable
   */
  accept(given: Given): Value
  /** The value as a dump shows it, not yet redacted. */
  show(value: Value): unknown
}

/** The text of a variable is not what its setting takes. Says where inside the text, never what it was. */
export class Unsuitable extends Error {
  override readonly name = 'Unsuitable'
}

/** The settings of a service, by the names that its code uses. */
export type ConfigShape = Readonly<Record<string, Setting<unknown, unknown>>>

/** What a shape is read to: frozen, each member of its setting's type. */
export type Config<Shape> = {
  readonly [Name in keyof Shape]: Shape[Name] extends { read(text: string): infer Value } ? Value : never
}

/** What a profile may say: any of the shape's settings, in the words that their defaults may use. */
export type ConfigValues<Shape> = {
  readonly [Name in keyof Shape]?: Shape[Name] extends { accept(given: infer Given): unknown } ? Given : never
}

/** What one kind of setting is made from. */
interface Kind<Value, Given> {
  readonly expects: string
  readonly repeats: boolean
  readonly read: (text: string) => Value
  readonly accept: (given: Given) => Value
  readonly show?: (value: Value) => unknown
}

/** Puts a kind and what its setting says about itself together. */
export function settingOf<Value, Given>(
  options: SettingOptions<Given>,
  kind: Kind<Value, Given>,
): Setting<Value, Given> {
  return {
    name: options.name,
    secret: options.secret ?? false,
    about: options.about,
    isOptional: false,
    default: options.default,
    show: value => value,
    ...kind,
  }
}

/** A setting that may be absent: its value is then `undefined`. */
export function optional<Value, Given>(setting: Setting<Value, Given>): Setting<Value | undefined, Given> {
  return {
    ...setting,
    isOptional: true,
    show: value => (value === undefined ? undefined : setting.show(value)),
  }
}

/** Fails a value that does not fit, wherever it came from. */
export function fitting<Value>(value: Value, fits: boolean): Value {
  if (!fits) throw new Unsuitable()
  return value
}

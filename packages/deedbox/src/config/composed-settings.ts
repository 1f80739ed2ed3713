import { count } from './plain-settings.ts'
import { fitting, type Setting, type SettingOptions, settingOf, Unsuitable } from './setting.ts'

/**
 * A URL. One that is not secret is shown without its password; messages never repeat one.
 * @param options `protocols` without the colon: `['https', 'http']`. Default: any.
 */
export function url(
  options: SettingOptions<URL | string> & { readonly protocols?: readonly string[] } = {},
): Setting<URL, URL | string> {
  const { protocols } = options
  const accept = (given: URL | string): URL => {
    if (!URL.canParse(String(given))) throw new Unsuitable()
    const read = new URL(String(given))
    return fitting(read, protocols === undefined || protocols.includes(read.protocol.slice(0, -1)))
  }
  const example = `${protocols?.[0] ?? 'https'}://host/path`
  return settingOf(options, {
    expects: `a URL such as ${example}${protocols === undefined ? '' : `, of ${protocols.join(' or ')}`}`,
    repeats: false,
    read: accept,
    accept,
  })
}

/** How a list is written, and how long it may be. */
export interface ListBounds {
  /** Default a comma. */
  readonly separator?: string
  readonly min?: number
  readonly max?: number
}

/** A list of settings in one variable: `a, b, c`. Empty entries do not count. */
export function list<Value, Given>(
  item: Setting<Value, Given>,
  options: SettingOptions<readonly Given[]> & ListBounds = {},
): Setting<readonly Value[], readonly Given[]> {
  const { separator = ',', min = 0, max = Number.POSITIVE_INFINITY } = options
  const all = <Entry>(entries: readonly Entry[], read: (entry: Entry) => Value): readonly Value[] => {
    const values = entries.map((entry, at) => {
      try {
        return read(entry)
      } catch (error) {
        throw error instanceof Unsuitable ? new Unsuitable(`its entry ${at + 1} does not fit`) : error
      }
    })
    return Object.freeze(fitting(values, values.length >= min && values.length <= max))
  }
  const isBounded = options.min !== undefined || options.max !== undefined
  return settingOf(
    { ...options, secret: options.secret ?? item.secret },
    {
      expects: `a list ${isBounded ? `of ${count(options)} entries ` : ''}with "${separator}" between, each ${item.expects}`,
      repeats: item.repeats,
      read: written =>
        all(
          written
            .split(separator)
            .map(entry => entry.trim())
            .filter(entry => entry !== ''),
          entry => item.read(entry),
        ),
      accept: given => all(given, entry => item.accept(entry)),
      show: values => values.map(value => item.show(value)),
    },
  )
}

/** How a value of JSON is checked. */
export interface JsonCheck<Value> {
  /** Gives the value its type, or throws; without it the type is only claimed. */
  readonly check?: (value: unknown) => Value
}

/** A value written as JSON, frozen in depth. Messages never repeat it. */
export function json<Value = unknown>(
  options: SettingOptions<Value> & JsonCheck<Value> = {},
): Setting<Value> {
  const accept = (value: unknown): Value =>
    frozen(options.check === undefined ? (value as Value) : judged(options.check, value))
  return settingOf(options, {
    expects: 'JSON of the kind that this service takes',
    repeats: false,
    read: written => accept(judged(parseJson, written)),
    accept,
  })
}

function parseJson(written: string): unknown {
  return JSON.parse(written)
}

/** What a setting of the service's own takes and how it is shown. */
export interface ParsedOptions<Value> extends SettingOptions<Value> {
  /** What the variable takes, as a message says it: `a cron line such as 0 3 * * *`. */
  readonly expects: string
  /** The value as a dump shows it. Default: the value itself. */
  readonly show?: (value: Value) => unknown
}

/** A setting read by a function of yours, which throws for what does not fit. Messages never repeat the text. */
export function parsed<Value>(parse: (text: string) => Value, options: ParsedOptions<Value>): Setting<Value> {
  return settingOf(options, {
    expects: options.expects,
    repeats: false,
    read: written => judged(parse, written),
    accept: given => given,
    show: options.show ?? (value => value),
  })
}

/** What a function of the service makes of a value; its own message may repeat the value, so it is not kept. */
function judged<Input, Value>(judge: (input: Input) => Value, input: Input): Value {
  try {
    return judge(input)
  } catch {
    throw new Unsuitable()
  }
}

function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) frozen(member)
  return value
}

import { ConfigurationError } from '../safety/index.ts'
import type { Chest } from '../tracking/index.ts'
import type { ChestOptions } from './chest-options.ts'

/** Opens a chest from a URL without the parameters that are the chest's own. */
type Opener = (url: string, own: OwnParameters, options: ChestOptions) => Promise<Chest>

/** What a URL says of the chest, not of the connection. */
type OwnParameters = Readonly<Record<string, string>>

interface Form {
  readonly example: string
  /** The names of the chest's own parameters. */
  readonly own: readonly string[]
  /** Whether parameters that are not the chest's own belong to the connection. */
  readonly hasOthers: boolean
  readonly open: Opener
}

const sqliteForm: Form = {
  example: 'sqlite:vars.db?table=flask_chest',
  own: ['table'],
  hasOthers: false,
  open: async (url, { table }, options) => {
    const { sqlite } = await import('./sqlite.ts')
    return sqlite(url, table === undefined ? options : { ...options, name: table })
  },
}

/** By the beginning of a URL. */
const forms: Readonly<Record<string, Form>> = {
  sqlite: sqliteForm,
}

/**
 * Opens the chest that a URL names, as settings and commands have it; only what this kind of chest needs is loaded.
 * @param url `sqlite:vars.db?table=…`, `postgres://…?table=…`, `mysql://…?table=…`, `mongodb://…`, `influx+https://…`,
 * `https://…`, `jsonl:out.jsonl` or `csv:out.csv`
 * @param options what all chests take, and no URL says
 * @throws ConfigurationError, without the URL, which may hold a password
 */
export async function openChest(url: string, options: ChestOptions = {}): Promise<Chest> {
  const [, scheme = ''] = /^([a-z][a-z+]*):./i.exec(String(url)) ?? []
  const form = Object.hasOwn(forms, scheme.toLowerCase()) ? forms[scheme.toLowerCase()] : undefined
  if (form === undefined) {
    const examples = [...new Set(Object.values(forms).map(({ example }) => example))].join(', ')
    throw new ConfigurationError('openChest()', `this is no URL of a chest. There are: ${examples}.`)
  }
  const { rest, own, others } = ownParameters(url, form.own)
  const [other] = form.hasOthers ? [] : others
  if (other !== undefined)
    throw new ConfigurationError(
      'openChest()',
      `${scheme}: has no parameter ${other.split('=', 1)}. It has: ${form.own.join(', ') || 'none'}.`,
    )
  return form.open(rest, own, options)
}

/** Takes parameters out of a URL, and leaves the others as they are written. */
function ownParameters(
  url: string,
  names: readonly string[],
): { readonly rest: string; readonly own: OwnParameters; readonly others: readonly string[] } {
  const [place = '', ...query] = url.split('?')
  const own: Record<string, string> = {}
  const others: string[] = []
  for (const parameter of query.join('?').split('&')) {
    const [[name, value] = ['', '']] = new URLSearchParams(parameter)
    if (names.includes(name)) own[name] = value
    else if (parameter !== '') others.push(parameter)
  }
  return { rest: others.length === 0 ? place : `${place}?${others.join('&')}`, own, others }
}

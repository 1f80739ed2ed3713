import { ConfigurationError, findVariable } from '../safety/index.ts'
import type { Chest } from '../tracking/index.ts'
import type { ChestOptions } from './chest-options.ts'

/** What a URL says of the chest, not of the connection. */
type OwnParameters = Readonly<Record<string, string>>

/** One way to name chests. */
interface Form {
  readonly example: string
  /** The names of the chest's own parameters. */
  readonly own: readonly string[]
  /** Whether other parameters belong to the connection. */
  readonly hasOthers: boolean
  /** Opens what a URL names from which the chest's own parameters have been taken. */
  open(url: string, own: OwnParameters, options: ChestOptions): Promise<Chest>
}

const sqliteForm: Form = {
  example: 'sqlite:vars.db?table=flask_chest',
  own: ['table'],
  hasOthers: false,
  open: async (url, own, options) => (await import('./sqlite.ts')).sqlite(url, withTable(own, options)),
}

const postgresForm: Form = {
  example: 'postgres://user@host/database?table=tracked_variables',
  own: ['table'],
  hasOthers: true,
  open: async (url, own, options) => (await import('./postgres.ts')).postgres(url, withTable(own, options)),
}

const mysqlForm: Form = {
  example: 'mysql://user@host/database?table=tracked_variables',
  own: ['table'],
  hasOthers: true,
  open: async (url, own, options) => (await import('./mysql.ts')).mysql(url, withTable(own, options)),
}

const mongoForm: Form = {
  example: 'mongodb://host/database?table=tracked_variables',
  own: ['table'],
  hasOthers: true,
  open: async (url, own, options) => (await import('./mongo.ts')).mongo(url, withTable(own, options)),
}

const influxForm: Form = {
  example: 'influx+https://host:8086?org=my-org&bucket=my-bucket',
  own: ['measurement'],
  hasOthers: true,
  open: async (url, { measurement }, options) => {
    const { influx } = await import('./influx.ts')
    const hasToken = /[?&]token=|:\/\/[^/?#]*@/.test(url)
    const token = hasToken ? undefined : findVariable(process.env, ['INFLUX_TOKEN'])?.value
    return influx(url.replace(/^influx\+/i, ''), { ...options, measurement, token })
  },
}

const httpForm: Form = {
  example: 'https://host/path',
  own: [],
  hasOthers: true,
  open: async (url, _, options) => (await import('./http-writer.ts')).httpWriter({ ...options, url }),
}

const jsonLinesForm: Form = {
  example: 'jsonl:out.jsonl',
  own: [],
  hasOthers: false,
  open: async (url, _, options) => (await import('./json-lines.ts')).jsonLines(fileIn(url), options),
}

const csvForm: Form = {
  example: 'csv:out.csv',
  own: [],
  hasOthers: false,
  open: async (url, _, options) => (await import('./csv.ts')).csv(fileIn(url), options),
}

/** By the beginning of a URL. */
const forms: Readonly<Record<string, Form>> = {
  sqlite: sqliteForm,
  postgres: postgresForm,
  postgresql: postgresForm,
  mysql: mysqlForm,
  mariadb: mysqlForm,
  mongodb: mongoForm,
  'mongodb+srv': mongoForm,
  'influx+http': influxForm,
  'influx+https': influxForm,
  http: httpForm,
  https: httpForm,
  jsonl: jsonLinesForm,
  csv: csvForm,
}

/**
 * Opens the chest that a URL names, as settings and commands have it; only what this kind of chest needs is loaded.
 * @param url `sqlite:vars.db`, `postgres://…`, `mysql://…` or `mongodb://…`, each with `?table=…` where it is not the usual
 * one; `influx+https://…?org=…&bucket=…`, `https://…`, `jsonl:out.jsonl` or `csv:out.csv`
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

function withTable({ table }: OwnParameters, options: ChestOptions): ChestOptions {
  return table === undefined ? options : { ...options, name: table }
}

/** @throws ConfigurationError for an escape that is none */
function fileIn(url: string): string {
  try {
    return decodeURIComponent(url.slice(url.indexOf(':') + 1))
  } catch {
    throw new ConfigurationError('openChest()', 'a % in the name of a file is written as %25.')
  }
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

import { ConfigurationError } from './safety/index.ts'

// Types keep TypeScript to the options; JavaScript, and settings that come from files, have only this.

/** What a value has to be, by the name of an option; a table stands for an object with these members. */
interface Shapes {
  readonly [option: string]: Shape
}
type Shape = 'text' | 'flag' | 'list' | 'function' | 'anything' | Shapes

const shapes: Shapes = {
  service: 'text',
  env: 'text',
  ledger: 'anything',
  skipPaths: 'list',
  skipMethods: 'list',
  trustProxy: 'anything',
  requestId: { generator: 'anything', inbound: 'text', echo: 'flag', header: 'text' },
  propagate: 'anything',
  processedTime: 'flag',
  eventNames: 'text',
  redact: { keys: 'list', allow: 'list', paths: 'list', patterns: 'list', replacement: 'text' },
  log: {
    level: 'text',
    levels: 'anything',
    errors: 'text',
    errorFrames: 'flag',
    ownLevels: 'anything',
    sink: 'anything',
    sinks: 'list',
    source: 'text',
    format: 'anything',
    offset: 'text',
    mozlog: { time: 'flag', personal: 'text' },
    ecsKey: 'text',
    summaryQuery: 'flag',
    requestLevel: 'function',
    requestFields: 'function',
  },
  audit: {
    requests: 'flag',
    kind: 'function',
    producer: 'flag',
    verifierKey: 'text',
    timeout: 'anything',
    capacity: 'anything',
    linger: 'anything',
    quotaPause: 'anything',
    backoff: 'anything',
    durability: 'text',
    spool: { folder: 'text', size: 'anything' },
    mode: 'text',
    modes: 'anything',
    holdTimeout: 'anything',
  },
  chests: 'list',
  tracked: 'anything',
  bodyHash: 'flag',
  includeBody: 'flag',
  processErrors: 'text',
  flushOnSignal: 'flag',
}

const adapterShapes: Shapes = { user: 'function', unhandled: 'text', validation: 'text' }

const called: Readonly<Record<string, string>> = {
  text: 'a text',
  flag: 'true or false',
  list: 'a list',
  function: 'a function',
}

/**
 * Checks that the options of an instance are ones that exist, each of the right kind. `undefined` counts as absent.
 * @throws ConfigurationError naming the option at fault
 */
export function checkOptions(options: unknown): void {
  checkMembers(options, shapes, '', 'deedbox()')
}

/**
 * The same for the options of an adapter.
 * @throws ConfigurationError naming the option at fault
 */
export function checkAdapterOptions(options: unknown): void {
  checkMembers(options, adapterShapes, '', 'observe()')
  for (const name of ['unhandled', 'validation']) {
    const policy: unknown = Reflect.get(Object(options), name)
    if (policy !== undefined && policy !== 'leave' && policy !== 'answer') {
      throw new ConfigurationError(name, `${show(policy)} is unknown. Use leave or answer.`)
    }
  }
}

function checkMembers(given: unknown, known: Shapes, path: string, taker: string): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new ConfigurationError(path || taker, `takes an object of options; this is ${show(given)}.`)
  }
  for (const [name, value] of Object.entries(given)) {
    const shape = Object.hasOwn(known, name) ? known[name] : undefined
    const full = path === '' ? name : `${path}.${name}`
    if (shape === undefined) {
      throw new ConfigurationError(
        full,
        `there is no such option. There are: ${Object.keys(known).join(', ')}.`,
      )
    }
    if (value === undefined || shape === 'anything') continue
    if (typeof shape === 'object') checkMembers(value, shape, full, taker)
    else if (!fits(value, shape)) {
      throw new ConfigurationError(full, `${called[shape]} is needed; this is ${show(value)}.`)
    }
  }
}

function fits(value: unknown, shape: Exclude<Shape, Shapes>): boolean {
  if (shape === 'list') return Array.isArray(value)
  if (shape === 'text') return typeof value === 'string'
  if (shape === 'flag') return typeof value === 'boolean'
  return typeof value === shape
}

/** The kind of a value, and never the value itself, which may be a secret; but for words that can be none. */
function show(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return /^[a-z-]{1,20}$/i.test(value) ? `"${value}"` : 'a text'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

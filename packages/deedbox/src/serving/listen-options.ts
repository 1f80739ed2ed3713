import { ConfigurationError, findVariable } from '../safety/index.ts'

/** How `listen()` listens and ends. Everything has a default; options win over variables. */
export interface ListenOptions {
  /** Default `PORT`, else 8000. 0 takes any free one. (DF-55) */
  readonly port?: number | undefined
  /** Default `HOST`, else all interfaces. (Ruling 30) */
  readonly host?: string | undefined
  /**
   * Milliseconds after SIGTERM or SIGINT for which new connections are still taken, until those that send requests have
   * learned of it. Default `DEEDBOX_DRAIN_DELAY`, else 5,000 in Kubernetes and 0 elsewhere. (Gap 17)
   */
  readonly drainDelay?: number | undefined
  /**
   * Milliseconds that requests under way then have left, and together with them what the framework does when it ends,
   * `onDrained`, and other listeners to the signal. Default `DEEDBOX_DRAIN_TIMEOUT`, else 15,000.
   */
  readonly drainTimeout?: number | undefined
  /**
   * Called when draining begins, for instance to say goodbye on WebSockets, which are closed half a second after the listener.
   * The listener does not wait for it; `onDrained` does.
   */
  readonly onDraining?: (() => unknown) | undefined
  /** Called when the last request is done, for instance to close a pool of connections; a promise is awaited. */
  readonly onDrained?: (() => unknown) | undefined
}

/** Options with defaults and variables applied, and checked. */
export interface ListenSettings {
  readonly port: number
  /** `undefined` for all interfaces. */
  readonly host: string | undefined
  readonly drainDelay: number
  readonly drainTimeout: number
  readonly onDraining: (() => unknown) | undefined
  readonly onDrained: (() => unknown) | undefined
  /** What said so, for what the system finds wrong. */
  readonly said: { readonly port: string; readonly host: string }
}

type Environment = Readonly<Record<string, string | undefined>>

const names: readonly string[] = ['port', 'host', 'drainDelay', 'drainTimeout', 'onDraining', 'onDrained']

/** As Node's timers hold it. */
const longest = 2_147_483_647

/** @throws ConfigurationError naming the option or variable at fault */
export function readListen(options: ListenOptions, environment: Environment): ListenSettings {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new ConfigurationError('listen()', 'takes an application and an object of options.')
  const unknown = Object.keys(options).find(name => !names.includes(name))
  if (unknown !== undefined)
    throw new ConfigurationError(unknown, `there is no such option. There are: ${names.join(', ')}.`)
  const { onDraining, onDrained } = options
  for (const [name, hook] of Object.entries({ onDraining, onDrained }))
    if (hook !== undefined && typeof hook !== 'function')
      throw new ConfigurationError(name, 'a function is needed.')
  return {
    port: readPort(options.port, environment),
    host: readHost(options.host, environment),
    drainDelay:
      readTime('drainDelay', options.drainDelay, 'DEEDBOX_DRAIN_DELAY', environment) ??
      (findVariable(environment, ['KUBERNETES_SERVICE_HOST']) === undefined ? 0 : 5_000),
    drainTimeout:
      readTime('drainTimeout', options.drainTimeout, 'DEEDBOX_DRAIN_TIMEOUT', environment) ?? 15_000,
    onDraining,
    onDrained,
    said: {
      port: options.port === undefined ? 'PORT' : 'port',
      host: options.host === undefined ? 'HOST' : 'host',
    },
  }
}

function readPort(own: number | undefined, environment: Environment): number {
  if (own !== undefined) {
    if (isPort(own)) return own
    throw new ConfigurationError('port', 'a whole number from 0 to 65535 is needed.')
  }
  const text = findVariable(environment, ['PORT'])?.value
  if (text === undefined) return 8_000
  if (/^\d+$/.test(text) && isPort(Number(text))) return Number(text)
  throw new ConfigurationError('PORT', `"${text}" is no port. Set it to a whole number from 0 to 65535.`)
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535
}

function readHost(own: string | undefined, environment: Environment): string | undefined {
  const host = own ?? findVariable(environment, ['HOST'])?.value
  if (host === undefined || (typeof host === 'string' && /^[^\s/]+$/.test(host))) return host
  const problem = 'the name or address of an interface is needed, such as 127.0.0.1 or ::.'
  throw new ConfigurationError(own === undefined ? 'HOST' : 'host', problem)
}

function readTime(
  name: string,
  own: number | undefined,
  variable: string,
  environment: Environment,
): number | undefined {
  if (own !== undefined) {
    if (typeof own === 'number' && own >= 0 && own <= longest) return own
    throw new ConfigurationError(name, 'a number of milliseconds, or 0, is needed.')
  }
  const text = findVariable(environment, [variable])?.value
  if (text === undefined || text === '0') return text === undefined ? undefined : 0
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?(ms|s)$/.exec(text) ?? []
  const milliseconds = Number(amount) * (unit === 's' ? 1_000 : 1)
  if (milliseconds <= longest) return milliseconds
  throw new ConfigurationError(variable, `"${text}" is no time. Set it to one such as 500ms or 5s, or to 0.`)
}

import type { AddressInfo, Server } from 'node:net'
import { isMainThread } from 'node:worker_threads'
import { activeWriter } from '../default-instance.ts'
import { beginDraining } from '../draining.ts'
import type { LogFields } from '../log/index.ts'
import { endBySignal } from '../process-end.ts'
import { ConfigurationError, errorMessage } from '../safety/index.ts'
import { type ListenOptions, type ListenSettings, readListen } from './listen-options.ts'
import { type ListenApp, type ServedApp, servedApp } from './served-app.ts'
import { type WatchedServer, watchServer, within } from './watched-server.ts'

/** A service that listens. */
export interface Listening {
  /** Where it is reached from this machine, such as `http://localhost:8000`. */
  readonly url: string
  readonly port: number
  /** The address that it is bound to: `::` or `0.0.0.0` for all interfaces. */
  readonly host: string
  readonly server: Server
  /**
   * Takes no more connections, and resolves when the requests under way are done. The signals are the caller's again;
   * instances stay open.
   */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const signals = ['SIGTERM', 'SIGINT'] as const

/** Milliseconds within which a further signal is the first one once more. */
const echo = 500

/**
 * Listens where `PORT` and `HOST` say: port 8000 and all interfaces by default. On SIGTERM and SIGINT the process is not
 * ready from then on; after `drainDelay` no more connections are taken, requests under way are answered, and what waits
 * is delivered; then the process ends by the signal. (DF-55, gap 17, rulings 28 and 30)
 * @param app an application of Express, Koa, Fastify or Nest, a request handler, or a server of Node
 * @throws ConfigurationError naming what is wrong: an option, a variable, a port that is taken
 */
export async function listen(app: ListenApp, options: ListenOptions = {}): Promise<Listening> {
  const settings = readListen(options, process.env)
  const served = servedApp(app)
  const { server } = served
  const watched = watchServer(server)
  try {
    await served.listen(settings.port, settings.host)
  } catch (error) {
    throw startError(error, settings)
  }
  const { address: host, port } = server.address() as AddressInfo
  const url = `${'setSecureContext' in server ? 'https' : 'http'}://${hostInUrl(host)}:${port}`
  say('INFO', 'listening', { url, host, port })
  const hurry = new AbortController()
  let ending: Promise<void> | undefined
  let told = Number.NEGATIVE_INFINITY
  const end = (delay: number): Promise<void> => {
    ending ??= drain(served, watched, settings, delay, hurry.signal)
    return ending
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (ending !== undefined) {
      // One signal arrives twice: from the terminal or the supervisor of a whole group, and passed on by a parent.
      if (performance.now() - told > echo) hurry.abort()
      return
    }
    told = performance.now()
    beginDraining(signal)
    say('INFO', 'draining', { signal, delay: settings.drainDelay })
    void end(settings.drainDelay).then(() => {
      stopHearing()
      return endBySignal(signal)
    })
  }
  const stopHearing = (): void => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  if (isMainThread) for (const signal of signals) process.on(signal, onSignal)
  const close = (): Promise<void> => {
    if (ending === undefined) stopHearing()
    return end(0)
  }
  return { url, port, host, server, close, [Symbol.asyncDispose]: close }
}

/** Ends a service in order. Never rejects; when there is no more time, each step ends at once. */
async function drain(
  served: ServedApp,
  watched: WatchedServer,
  { drainTimeout, onDrained }: ListenSettings,
  delay: number,
  hurry: AbortSignal,
): Promise<void> {
  watched.sendAway()
  if (delay > 0) await within(delay, new Promise(() => {}), hurry)
  const cut = await watched.end(drainTimeout, hurry)
  if (cut > 0) say('WARNING', 'requests were broken off, since the time to drain was over', { requests: cut })
  for (const step of [() => served.close(), () => onDrained?.()])
    await within(drainTimeout, ended(step), hurry)
}

async function ended(step: () => unknown): Promise<void> {
  try {
    await step()
  } catch (error) {
    activeWriter().own({
      level: 'ERROR',
      message: 'a part of the service failed to end',
      thrown: { thrown: error },
    })
  }
}

function say(level: 'INFO' | 'WARNING', message: string, fields: LogFields): void {
  activeWriter().own({ level, message, fields })
}

/** What the system says of an address, in words that name the setting. */
function startError(error: unknown, { port, host, said }: ListenSettings): unknown {
  const { code } = error as NodeJS.ErrnoException
  const [setting, problem] =
    code === 'EADDRINUSE'
      ? [
          said.port,
          `port ${port} is taken: another process listens there. Set ${said.port} to another one, or end that process.`,
        ]
      : code === 'EACCES'
        ? [
            said.port,
            `this process may not listen on port ${port}; ports below 1024 need a right of their own.`,
          ]
        : code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAFNOSUPPORT'
          ? [said.host, `"${host}" is no interface of this machine (${errorMessage(error)}).`]
          : []
  if (setting === undefined || problem === undefined) return error
  return Object.assign(new ConfigurationError(setting, problem), { cause: error })
}

function hostInUrl(host: string): string {
  if (host === '::' || host === '0.0.0.0') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

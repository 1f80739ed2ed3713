import type { AddressInfo, Server } from 'node:net'
import { isMainThread } from 'node:worker_threads'
import { activeWriter } from '../default-instance.ts'
import { beginDraining } from '../draining.ts'
import type { LogFields } from '../log/index.ts'
import { countForeignListeners, endBySignal, holdSignals, isEcho } from '../process-end.ts'
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

/**
 * Listens where `PORT` and `HOST` say: port 8000 and all interfaces by default. On SIGTERM and SIGINT the process is not
 * ready from then on; after `drainDelay` no more connections are taken, requests under way are answered, and what waits
 * is delivered; then the process ends by the signal. Nest's shutdown hooks then run after the last request, and other
 * listeners to the signals have until `drainTimeout`. (DF-55, gap 17, rulings 28 and 30)
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
  let hurry = new AbortController()
  let ending: Promise<void> | undefined
  let told = Number.NEGATIVE_INFINITY
  const end = (delay: number, signal?: NodeJS.Signals): Promise<void> => {
    ending ??= drain(served, watched, settings, delay, hurry.signal, signal)
    return ending
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isEcho(told)) return
    told = performance.now()
    if (ending !== undefined) return void hurry.abort()
    beginDraining(signal)
    say('INFO', 'draining', { signal, delay: settings.drainDelay })
    void end(settings.drainDelay, signal).then(() => {
      hurry = new AbortController()
      return endBySignal(signal, letGo, hurry.signal)
    })
  }
  if (isMainThread) served.takeSignals()
  const letGo = isMainThread ? holdSignals(onSignal) : (): void => undefined
  const close = (): Promise<void> => {
    if (ending === undefined) letGo()
    return end(0)
  }
  return { url, port, host, server, close, [Symbol.asyncDispose]: close }
}

/** Ends a service in order. Never rejects; when there is no more time, each step ends at once. */
async function drain(
  served: ServedApp,
  watched: WatchedServer,
  { drainTimeout, onDraining, onDrained }: ListenSettings,
  delay: number,
  hurry: AbortSignal,
  signal: NodeJS.Signals | undefined,
): Promise<void> {
  watched.sendAway()
  const begun = ended(() => onDraining?.())
  if (delay > 0) await within(delay, new Promise(() => {}), hurry)
  const deadline = performance.now() + drainTimeout
  const left = (): number => Math.max(0, deadline - performance.now())
  const cut = await watched.end(left(), hurry)
  if (cut > 0) say('WARNING', 'requests were broken off, since the time to drain was over', { requests: cut })
  await within(left(), begun, hurry)
  for (const step of [() => served.close(signal), () => onDrained?.()])
    await within(left(), ended(step), hurry)
  if (signal !== undefined && countForeignListeners(signal) > 0) await leaveTo(signal, left(), hurry)
}

/**
 * Other listeners to the signal may be ending their part, and may end the process. Resolves when none is left or the time is
 * over; does not hold a process that has nothing else to do.
 */
function leaveTo(signal: NodeJS.Signals, timeout: number, hurry: AbortSignal): Promise<void> {
  const listeners = countForeignListeners(signal)
  say('WARNING', 'drained, but other listeners to the signal hold the process up', {
    signal,
    listeners,
    timeout: Math.round(timeout),
  })
  return new Promise(resolve => {
    const look = (): void => {
      if (countForeignListeners(signal) === 0) over()
    }
    const over = (): void => {
      clearTimeout(timer)
      process.off('removeListener', look)
      resolve()
    }
    const timer = setTimeout(over, timeout).unref()
    process.on('removeListener', look)
    if (hurry.aborted) over()
    else hurry.addEventListener('abort', over, { once: true })
  })
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

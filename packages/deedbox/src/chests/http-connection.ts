import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { urlToHttpOptions } from 'node:url'
import { errorMessage } from '../safety/index.ts'
import type { HttpTarget } from './http-target.ts'

/** Connects, TLS included, and sends nothing. Resolves to what went wrong; `undefined` if nothing did. */
export function connectionProblem(
  url: URL,
  tls: HttpTarget['tls'],
  timeout: number,
): Promise<string | undefined> {
  const isSecure = url.protocol === 'https:'
  const { hostname } = urlToHttpOptions(url)
  const host = hostname ?? ''
  const port = Number(url.port) || (isSecure ? 443 : 80)
  const socket = isSecure
    ? connectTls({ host, port, ...tls, ...(isIP(host) === 0 ? { servername: host } : {}) })
    : connect({ host, port })
  return new Promise(resolve => {
    const end = (problem: string | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(problem)
    }
    const timer = setTimeout(() => end(`no connection within ${timeout} ms`), timeout)
    socket.once(isSecure ? 'secureConnect' : 'connect', () => end(undefined))
    socket.on('error', error =>
      end(errorMessage(error) || ('code' in error ? String(error.code) : 'no connection')),
    )
  })
}

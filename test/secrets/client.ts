import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import type { Entry } from './corpus.ts'

/** One request, as far as it differs from `GET /`. */
export interface Call {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** Where a client may put something; `undefined` where it cannot stand. */
export const clientPlaces: Readonly<Record<string, (entry: Entry) => Call | undefined>> = {
  'query value': ({ name, text, secret }) => ({
    path: `/q?${encodeURIComponent(name)}=${encodeURIComponent(secret ?? text)}&q=${encodeURIComponent(text)}`,
  }),
  'query plus': ({ text }) => ({ path: `/q?q=${encodeURIComponent(text).replaceAll('%20', '+')}` }),
  'query twice': ({ name, text, secret }) => ({
    path: `/q?next=${encodeURIComponent(`/b?${encodeURIComponent(name)}=${encodeURIComponent(secret ?? text)}&q=${encodeURIComponent(text)}`)}`,
  }),
  'query name': ({ text }) => ({ path: `/q?${encodeURIComponent(text)}=1&${encodeURIComponent(text)}` }),
  path: ({ text }) => ({ path: `/p/${encodeURIComponent(text)}/end` }),
  'user agent': ({ text }) => header('user-agent', text),
  referer: ({ name, text, secret }) =>
    header(
      'referer',
      `https://h.example/a?${encodeURIComponent(name)}=${encodeURIComponent(secret ?? text)}&q=${encodeURIComponent(text)}`,
    ),
  'raw referer': ({ text }) => header('referer', text),
  language: ({ text }) => header('accept-language', text),
  // A list of addresses is split at its commas, whatever stands between them.
  forwarded: ({ text }) => (text.includes(',') ? undefined : header('x-forwarded-for', text)),
  'request id': ({ text }) => header('x-request-id', text),
  header: ({ name, text, secret }) => (/^[\w.-]+$/.test(name) ? header(name, secret ?? text) : undefined),
  'JSON body': ({ name, text, secret }) => ({
    ...body(
      'application/json',
      JSON.stringify({ [name]: secret ?? text, note: text, list: [{ [name]: secret }] }),
    ),
  }),
  'malformed JSON body': ({ name, text, secret }) => ({
    ...body(
      'application/json',
      `{"note":${JSON.stringify(text)},${JSON.stringify(name)}:${JSON.stringify(secret ?? text)} x}`,
    ),
    path: '/parsed',
  }),
  'form body': ({ name, text, secret }) => ({
    ...body(
      'application/x-www-form-urlencoded',
      `${encodeURIComponent(name)}=${encodeURIComponent(secret ?? text)}&note=${encodeURIComponent(text)}`,
    ),
    path: '/parsed',
  }),
  'text body': ({ text }) => body('text/plain', text),
  'multipart body': ({ name, text, secret }) =>
    body(
      'multipart/form-data; boundary=b',
      `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${secret ?? text}\r\n--b--\r\n`,
    ),
  'UTF-16 body': ({ text }) => body('text/plain; charset=utf-16le', Buffer.from(text, 'utf16le')),
}

function header(name: string, value: string): Call | undefined {
  return /^[\x20-\x7e\xa0-\xff]*$/.test(value) ? { headers: { [name]: value } } : undefined
}

function body(type: string, content: string | Buffer): Call {
  return { method: 'POST', headers: { 'content-type': type, 'x-status': '422' }, body: content }
}

/** A client that keeps its connections. */
export function connectTo(port: number): {
  call(call: Call): Promise<void>
  malformed(text: string): Promise<void>
  close(): void
} {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  return {
    async call({ method = 'GET', path = '/', headers = {}, body = '' }) {
      const sent = request({ host: '127.0.0.1', port, agent, method, path, headers })
      sent.end(body)
      const [answer] = (await once(sent, 'response')) as [NodeJS.ReadableStream]
      answer.resume()
      await once(answer, 'end')
    },
    async malformed(text) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined).resume()
      socket.write(`GET /m?q=${encodeURIComponent(text)} HTTP/9.9\r\n\r\n`)
      await once(socket, 'close')
    },
    close: () => agent.destroy(),
  }
}

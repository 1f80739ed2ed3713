import { once } from 'node:events'
import { connect, constants } from 'node:http2'
import type { TestContext } from 'node:test'

/** What came back over HTTP/2. */
export interface Http2Answer {
  status: number
  headers: Record<string, unknown>
  body: string
}

/** One session of cleartext HTTP/2; a request that is given a promise is cancelled once it resolves. */
export function http2Call(
  t: TestContext,
  port: number,
): (path: string, id: string, cancelWhen?: Promise<void>, body?: string) => Promise<Http2Answer> {
  const session = connect(`http://127.0.0.1:${port}`)
  t.after(() => session.destroy())
  return async (path, id, cancelWhen, upload) => {
    const headers = upload === undefined ? {} : { ':method': 'POST', 'content-length': upload.length }
    const stream = session.request({ ':path': path, 'x-request-id': id, ...headers })
    stream.on('error', () => undefined)
    stream.setEncoding('utf8')
    let body = ''
    stream.on('data', chunk => {
      body += chunk
    })
    let answered: Record<string, unknown> = {}
    stream.on('response', received => {
      answered = received
    })
    void cancelWhen?.then(() => stream.close(constants.NGHTTP2_CANCEL))
    stream.end(upload)
    await once(stream, 'close')
    return { status: Number(answered[':status']), headers: answered, body }
  }
}

import type { ServerHttp2Stream } from 'node:http2'
import type { HeldOutput, Refusal } from './refusal.ts'

/** RFC 9113 §7: INTERNAL_ERROR. */
const internalError = 2

const held = ['respond', 'headersSent', '_write', '_writev', '_final'] as const

/**
 * Has an HTTP/2 stream wait from its response's headers on. What is written meanwhile waits in the stream itself, which
 * tells the writer by its own back-pressure when it has enough.
 * @param begin called once, when the headers would leave
 */
export function holdStream(stream: ServerHttp2Stream, begin: (output: HeldOutput) => void): void {
  const inside = Object.getPrototypeOf(stream) as ServerHttp2Stream
  let respond = (): void => undefined
  /** The piece at the head of the stream's buffer; the others come once it is done. */
  let write: { readonly go: () => void; readonly done: () => void } | undefined
  let final: { readonly go: () => void; readonly done: () => void } | undefined

  const letGo = (): boolean => {
    for (const name of held) Reflect.deleteProperty(stream, name)
    return !stream.destroyed && !stream.closed
  }
  const output: HeldOutput = {
    release() {
      if (!letGo()) return
      try {
        respond()
      } catch {
        stream.close(internalError)
        return
      }
      write?.go()
      final?.go()
    },
    refuse(refusal) {
      if (!letGo()) return false
      stream._write = (_chunk, _encoding, callback) => callback()
      stream._writev = (_chunks, callback) => callback()
      const done = (): void => {
        write?.done()
        final?.done()
        // A service that has not ended the response may never do so.
        if (!stream.writableEnded) stream.close()
      }
      inside.respond.call(stream, headersOf(refusal), {})
      if (Reflect.get(stream, 'headRequest') === true) done()
      else {
        // Past the stream's own buffer, which holds what the service wrote.
        inside._write.call(stream, Buffer.from(refusal.body), 'buffer' as never, () =>
          inside._final.call(stream, done),
        )
      }
      return true
    },
  }

  stream.respond = (headers, options) => {
    const copy = { ...headers }
    respond = () => stream.respond(copy, options)
    Object.defineProperty(stream, 'headersSent', { value: true, configurable: true })
    begin(output)
  }
  stream._write = (chunk, encoding, callback) => {
    write = { go: () => stream._write(chunk, encoding, callback), done: callback }
  }
  stream._writev = (chunks, callback) => {
    write = { go: () => stream._writev?.(chunks, callback), done: callback }
  }
  stream._final = callback => {
    final = { go: () => stream._final(callback), done: callback }
  }
}

function headersOf({ status, headers, body }: Refusal): Record<string, string | number> {
  return {
    ':status': status,
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    'content-length': Buffer.byteLength(body),
  }
}

import { connect as connectSocket } from 'node:net'

/** One keep-alive connection that carries one request at a time. */
export interface Connection {
  /** Sends a whole request, head and body; text is Latin-1. The last one must have been answered. */
  send(request: string | Buffer): void
  close(): void
}

/** What is told about each answer: its status, and whether its body speaks of a refusal (`"ok":false`). */
export type Answered = (status: number, refused: boolean) => void

const headEnd = Buffer.from('\r\n\r\n')
const refusal = Buffer.from('"ok":false')

/**
 * Opens a connection to a port of this machine. Of each answer only status and length are read, so that the load
 * generator costs little beside the server that it measures; an answer without Content-Length is an error.
 */
export function connect(
  port: number,
  answered: Answered,
  failed: (error: Error) => void,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host: '127.0.0.1', port, noDelay: true })
    let head: Buffer | undefined
    let left = 0
    let status = 0
    let refused = false

    const take = (chunk: Buffer): void => {
      let body = chunk
      if (left === 0) {
        const seen = head === undefined ? chunk : Buffer.concat([head, chunk])
        const end = seen.indexOf(headEnd)
        if (end === -1) {
          head = seen
          return
        }
        head = undefined
        const text = seen.toString('latin1', 0, end)
        const length = /content-length: *(\d+)/i.exec(text)?.[1]
        if (length === undefined) {
          socket.destroy(new Error(`An answer without Content-Length: ${text}`))
          return
        }
        status = Number(text.slice(9, 12))
        refused = false
        left = Number(length)
        body = seen.subarray(end + headEnd.length)
      }
      left -= body.length
      refused ||= body.includes(refusal)
      if (left === 0) answered(status, refused)
    }

    let open = false
    socket.on('data', take)
    socket.on('error', error => (open ? failed(error) : reject(error)))
    socket.on('end', () => failed(new Error('The server closed a connection under load.')))
    socket.on('connect', () => {
      open = true
      resolve({
        send: request => socket.write(request, 'latin1'),
        close: () => {
          socket.removeAllListeners('end')
          socket.destroy()
        },
      })
    })
  })
}

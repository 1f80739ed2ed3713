import { type Connection, connect } from './connection.ts'

/** Gives the next request, or undefined when there is to be none any more. */
export type NextRequest = () => string | Buffer | undefined

/** The same kind of request again and again, until so many seconds have passed from now. */
export function forSeconds(seconds: number, make: () => string): NextRequest {
  const end = performance.now() + seconds * 1000
  return () => (performance.now() < end ? make() : undefined)
}

/** What one stretch of load came to. */
export interface Stretch {
  requests: number
  seconds: number
  /** Milliseconds from sending to the whole answer, one for each request, in the order of the answers. */
  latencies: number[]
}

/** Open connections that stretches of load are sent through, one after the other. */
export interface Load {
  /**
   * Keeps every connection busy until `next` gives nothing more and all is answered.
   *
   * @throws Error when an answer is not a success or a connection fails
   */
  run(next: NextRequest): Promise<Stretch>
  close(): void
}

interface Running {
  next: NextRequest
  busy: number
  latencies: number[]
  done: () => void
}

/** Opens connections to a port of this machine. */
export async function openLoad(port: number, connections: number): Promise<Load> {
  let running: Running | undefined
  let fail: (error: Error) => void = () => undefined

  const lanes: { connection: Connection; sentAt: number }[] = []
  const sendNext = (lane: number): void => {
    const { connection } = lanes[lane]!
    const request = running!.next()
    if (request === undefined) {
      running!.busy--
      if (running!.busy === 0) running!.done()
      return
    }
    lanes[lane]!.sentAt = performance.now()
    connection.send(request)
  }
  for (let lane = 0; lane < connections; lane++) {
    const connection = await connect(
      port,
      (status, refused) => {
        if (status < 200 || status > 299 || refused) {
          fail(new Error(`The server answered ${status}${refused ? ' with a refusal' : ''} under load.`))
          return
        }
        running!.latencies.push(performance.now() - lanes[lane]!.sentAt)
        sendNext(lane)
      },
      error => fail(error),
    )
    lanes.push({ connection, sentAt: 0 })
  }

  return {
    run: next =>
      new Promise((resolve, reject) => {
        fail = reject
        const from = performance.now()
        const latencies: number[] = []
        running = {
          next,
          busy: lanes.length,
          latencies,
          done: () =>
            resolve({ requests: latencies.length, seconds: (performance.now() - from) / 1000, latencies }),
        }
        for (let lane = 0; lane < lanes.length; lane++) sendNext(lane)
      }),
    close: () => {
      for (const { connection } of lanes) connection.close()
    },
  }
}

import { once } from 'node:events'
import { createServer, type RequestListener, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { type Deedbox, type DeedboxOptions, deedbox } from 'deedbox'
import { type Metrics, type MetricsOptions, metrics } from 'deedbox/metrics'
import { type Exposition, readExposition } from './exposition.ts'

/** A service whose requests are measured, on a port of its own. */
export interface MeasuredService {
  readonly box: Deedbox
  readonly metrics: Metrics
  readonly url: string
  readonly lines: string[]
  /** Sends a request with any method; resolves to the status. */
  ask(method: string, path: string, body?: string): Promise<number>
  /** What the metrics say, once as many records have been made. */
  read(records: number): Promise<Exposition>
}

/** What a service is made with. */
export interface ServiceSettings {
  readonly metrics?: MetricsOptions
  readonly box?: DeedboxOptions
}

/** Starts a service; it ends with the test. */
export async function measuredService(
  t: TestContext,
  handler: (box: Deedbox, measured: Metrics) => RequestListener | Promise<RequestListener>,
  settings: ServiceSettings = {},
): Promise<MeasuredService> {
  const lines: string[] = []
  const box = deedbox({
    service: 'shop',
    ledger: null,
    ...settings.box,
    log: { sink: line => void lines.push(line), ...settings.box?.log },
  })
  const measured = metrics(box, settings.metrics)
  const server = createServer(await handler(box, measured)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await box.close(500)
  })
  const { port } = server.address() as AddressInfo
  let made = 0
  const waiting: (() => void)[] = []
  box.onRecord(() => {
    made++
    for (const look of waiting) look()
  })
  return {
    box,
    metrics: measured,
    lines,
    url: `http://127.0.0.1:${port}`,
    async ask(method, path, body) {
      const sent = request({ port, host: '127.0.0.1', method, path })
      sent.end(body)
      const [response] = await once(sent, 'response')
      response.resume()
      await once(response, 'close')
      return response.statusCode
    },
    async read(records) {
      await new Promise<void>(resolve => {
        const look = (): void => {
          if (made >= records) resolve()
        }
        waiting.push(look)
        look()
      })
      return readExposition(await measured.render())
    },
  }
}

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Deedbox, deedbox } from 'deedbox'
import { type Chest, influx, sqlite } from 'deedbox/chests'
import { observe } from 'deedbox/http'
import { pinoHttp } from 'pino-http'
import { announce } from './serve.ts'

// A trivial handler on `node:http` that sets three variables of its request. Arguments: what is on, as named below; the
// port of the sink; a folder. Log lines go to standard output, which is /dev/null here. On a message it delivers what
// waits and answers what it has done so far.

/** What a process has done so far. */
export interface TrackedWork {
  requests: number
  cpuSeconds: number
  /** Requests that a chest or the ledger did not get. */
  dropped: number
}

const [how = '', port = '', folder = ''] = process.argv.slice(2)
const sink = `http://127.0.0.1:${port}`
const quiet = { service: 'bench', log: { sink: 'stdout' } } as const
const noAudit = { ...quiet, ledger: null, audit: { requests: false } } as const
const toSink = (): Chest => influx(sink, { org: 'bench', bucket: 'bench', token: 'of-nobody' })

const boxes: Record<string, () => Deedbox> = {
  log: () => deedbox(noAudit),
  sqlite: () => deedbox({ ...noAudit, chests: [sqlite(`${folder}/vars.db`)] }),
  sink: () => deedbox({ ...noAudit, chests: [toSink()] }),
  everything: () =>
    deedbox({
      ...quiet,
      ledger: { url: sink, apiKey: 'of-nobody' },
      audit: { spool: { folder } },
      chests: [toSink()],
    }),
}

let requests = 0
const body = JSON.stringify({ ok: true })
const answer = (_request: IncomingMessage, response: ServerResponse): void => {
  requests++
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length })
  response.end(body)
}

const box = boxes[how]?.()
const log = how === 'pino-http' ? pinoHttp() : undefined
const server =
  box !== undefined
    ? createServer(
        observe(box)((request, response) => {
          box.set({ user_id: `u_${requests % 1_000}`, session_id: 'abc', total_time: requests / 8 })
          answer(request, response)
        }),
      )
    : createServer((request, response) => {
        log?.(request, response)
        answer(request, response)
      })

process.on('message', () => {
  void (box?.flush(60_000) ?? Promise.resolve(true)).then(() => {
    const { user, system } = process.cpuUsage()
    const { audit, chests } = box?.stats() ?? { audit: { dropped: 0 }, chests: [] }
    const dropped = chests.reduce((sum, chest) => sum + chest.dropped + chest.rejected, audit.dropped)
    const work: TrackedWork = { requests, cpuSeconds: (user + system) / 1e6, dropped }
    process.send?.(work)
  })
})
await once(server.listen(0, '127.0.0.1'), 'listening')
announce(server)

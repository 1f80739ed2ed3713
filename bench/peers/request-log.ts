import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { deedbox } from 'deedbox'
import { observe as observeExpress } from 'deedbox/express'
import { observe } from 'deedbox/http'
import express from 'express'
import { pinoHttp } from 'pino-http'
import { announce } from './serve.ts'

// A trivial handler, with the request log of somebody or without one. Both logs write to standard output, which is
// /dev/null here. Arguments: `express` or `http`; `bare`, `pino` or `deedbox`.

const [framework, logger] = process.argv.slice(2)
const answer = JSON.stringify({ ok: true })

// The defaults, but for standard output as the sink, and one line for a request instead of a line and an event.
const box = () =>
  deedbox({ service: 'bench', ledger: null, audit: { requests: false }, log: { sink: 'stdout' } })

function handle(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': answer.length })
  response.end(answer)
}

function listener(): RequestListener {
  if (framework === 'http') {
    if (logger === 'deedbox') return observe(box())(handle)
    if (logger === 'bare') return handle
    const log = pinoHttp()
    return (request, response) => {
      log(request, response)
      handle(request, response)
    }
  }
  const app = express()
  if (logger === 'deedbox') app.use(observeExpress(box()))
  if (logger === 'pino') app.use(pinoHttp())
  app.get('/things/:id', (_request, response) => {
    response.json({ ok: true })
  })
  return app
}

const server = createServer(listener())
server.listen(0, '127.0.0.1', () => announce(server))

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import express, { type Express } from 'express'
import { observe } from '../frameworks/express.ts'
import type { RequestRecord } from '../index.ts'
import { type CapturedLog, captureLog } from './captured-log.ts'

/** An application observed by one instance; `ask` resolves to the record of the request it makes. */
export async function observedExpress(
  t: TestContext,
  routes: (app: Express, log: CapturedLog) => void,
): Promise<(path: string, init?: RequestInit) => Promise<RequestRecord>> {
  const log = captureLog()
  const app = express()
  app.set('env', 'test')
  app.use(observe(log.box))
  routes(app, log)
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let asked = 0
  return async (path, init) => {
    const answer = await fetch(`${url}${path}`, init)
    await answer.text()
    return (await log.recorded(++asked))[asked - 1]!
  }
}

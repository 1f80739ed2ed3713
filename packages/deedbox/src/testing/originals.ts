import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import express, { type Express } from 'express'
import { EventSender } from '../compat/immutablelog/event-sender.ts'
import { ImmutableLogAudit } from '../compat/immutablelog/index.ts'
import { originalBox } from '../compat/immutablelog/original-box.ts'
import type { Deedbox, DeedboxOptions } from '../index.ts'
import type { Lines } from './ledger-events.ts'

/** What an instance with the originals' defaults gets in tests beside: its lines are kept. */
export function kept(more: DeedboxOptions = {}): {
  deedbox: DeedboxOptions
  lines: Record<string, unknown>[]
} {
  const lines: Record<string, unknown>[] = []
  const sink = { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) }
  const deedbox: DeedboxOptions = { flushOnSignal: false, ...more, log: { sink, ...more.log } }
  return { deedbox, lines }
}

/** An audit that is closed when the test ends. */
export function anAudit(
  t: TestContext,
  apiUrl: string,
  more: DeedboxOptions = {},
): { audit: ImmutableLogAudit; box: Deedbox; lines: Lines } {
  const { deedbox, lines } = kept(more)
  const audit = new ImmutableLogAudit({ apiKey: 'iml_live_secret', apiUrl, deedbox })
  t.after(() => audit.box.close(0))
  return { audit, box: audit.box, lines }
}

/** What the functions without an instance use, for a ledger of the test's. */
export function aSender(
  t: TestContext,
  apiUrl: string | undefined,
  timeout?: number,
): { sender: EventSender; lines: Lines } {
  const { deedbox, lines } = kept()
  const made = originalBox({ apiKey: apiUrl && 'iml_live_secret', apiUrl, deedbox }, 'node-service')
  t.after(() => made.box.close(0))
  return { sender: new EventSender(made, timeout), lines }
}

const settings = /^(?:IMTBL|DEEDBOX)_(?:URL|API_KEY|SERVICE|SERVICE_NAME|ENV)$/

/** Sets variables for the time of a test; those that name a ledger, a service or an environment are absent else. */
export function setVariables(t: TestContext, variables: Readonly<Record<string, string>>): void {
  const before = { ...process.env }
  for (const name of Object.keys(before)) if (settings.test(name)) delete process.env[name]
  Object.assign(process.env, variables)
  t.after(() => {
    for (const name of Object.keys(variables)) delete process.env[name]
    Object.assign(process.env, before)
  })
}

/** The routes of the tests: 200, 302, 404, a throw, and any path with a client's own id. */
export function addRoutes(app: Express): void {
  app.get('/old', (_request, response) => response.redirect('/new'))
  app.all('/throws', () => {
    throw new RangeError('out of stock')
  })
  app.get('/*rest', (request, response) => {
    if (request.path === '/nowhere') response.status(404).end()
    else response.json({ ok: true })
  })
}

/** An Express application that listens, without Express's own print of errors. Closed when the test ends. */
export async function serve(t: TestContext, prepare: (app: Express) => void): Promise<string> {
  const app = express()
  app.set('env', 'test')
  prepare(app)
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

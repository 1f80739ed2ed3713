// A service process whose every output the test reads. Arguments: framework, format, `ledger` or `none`, folder.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { openLedger } from '@deedbox/ledger'
import { type DeedboxOptions, deedbox } from 'deedbox'
import { type Chest, ChestError, sqlite } from 'deedbox/chests'
import { observe as observeExpress } from 'deedbox/express'
import { attachServer, observe } from 'deedbox/http'
import express from 'express'
import { controls, type Entry, secrets } from './corpus.ts'
import { explicitEvents, logPlaces, requestPlaces, validationError } from './places.ts'

const [framework = '', format = '', store = '', folder = ''] = process.argv.slice(2)
const ledger =
  store === 'ledger'
    ? await openLedger(join(folder, 'ledger.db'), {
        keysFolder: join(folder, 'keys'),
        guard: join(folder, 'guard'),
      })
    : null
const said = (message: string, fields?: object): void => console.log(message, inspect(fields))
/** What it refuses is kept as dead letters, and said with a reason of its own. */
const refusing: Chest = {
  id: 'Refusing(name=all)',
  queue: { durable: true },
  logger: { debug: said, warn: said },
  write: async ([entry]) => {
    throw new ChestError(
      'refused',
      'Refusing(name=all)',
      `${entry?.record.error ?? ''} ${JSON.stringify(entry)}`,
    )
  },
  check: async () => [],
  close: async () => {},
}
/** Where nothing arrives: all that is for it is in the spool until the end. */
const away: Chest = {
  ...refusing,
  id: 'Away(name=all)',
  write: () => Promise.reject(new Error('away')),
}
const box = deedbox({
  service: 'secretive',
  chests: [sqlite(join(folder, 'vars.db'), { logger: { debug: said, warn: said } }), refusing, away],
  env: 'production',
  ledger,
  trustProxy: true,
  includeBody: true,
  eventNames: 'path',
  processErrors: 'adopt',
  log: {
    format: format as 'flat' | 'mozlog',
    level: 'TRACE',
    sink: format === 'mozlog' ? 'stdout' : 'stderr',
    summaryQuery: true,
    source: 'never',
    requestFields: record => ({ ...record.values, referer_seen: record.referer }),
  },
})

/** What the request asks for by its headers is done; then it is answered with the status that it asks for. */
async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  for await (const _chunk of request);
  const place = String(request.headers['x-place'] ?? '')
  const index = Number(request.headers['x-entry'])
  const entry: Entry | undefined = [...secrets, ...controls(place)][index]
  // So that each request is tracked, with all that a chest is told beside its variables.
  box.set({ place })
  if (place === 'validation' && entry !== undefined) {
    box.current()?.fail(validationError(entry))
    response.statusCode = 400
  } else if (entry !== undefined) await requestPlaces[place]?.(box, entry)
  response.statusCode = Number(request.headers['x-status'] ?? response.statusCode)
  response.end()
}

/** Everything that is written outside of requests. */
async function writeAll(): Promise<void> {
  for (const [place, write] of Object.entries(logPlaces)) {
    for (const entry of [...secrets, ...controls(place)]) write(box, entry)
  }
  for (const entry of [...secrets, ...controls('sent')]) await box.sendAll(explicitEvents(entry))
  for (const entry of [...secrets, ...controls('warning')]) process.emitWarning(entry.text)
  for (const entry of [...secrets, ...controls('notice')]) await complain(entry)
  for (const entry of secrets) misconfigure(entry)
  const secret = process.env.SECRET_KEY ?? ''
  const remote = deedbox({
    service: 'dumped',
    ledger: { url: 'http://127.0.0.1:9', apiKey: secret },
    flushOnSignal: false,
  })
  const dumps = [
    inspect(remote, { depth: null, showHidden: true }),
    JSON.stringify(remote),
    inspect(remote.stats()),
  ]
  console.log(dumps.join('\n'))
  remote.log.info('dumped', {
    remote,
    stats: remote.stats(),
    options: { ledger: { url: 'x', apiKey: secret } },
  })
  await remote.close(0)
}

/** An instance whose ledger refuses with the text, and whose second sink fails with it. */
async function complain({ text }: Entry): Promise<void> {
  const refusing = {
    appendBatch: async (items: readonly unknown[]) =>
      items.map(() => ({ ok: false as const, reason: text, message: text, retryable: false })),
  }
  const quiet: DeedboxOptions = { service: 'complaining', processErrors: 'off', audit: { linger: 0 } }
  const one = deedbox({ ...quiet, ledger: refusing })
  await one.send('a', { a: 1 }).catch(error => one.log.warn('refused', error))
  const closed = deedbox({ ...quiet, ledger: Promise.reject(new Error(text)) })
  await closed.send('a', { a: 1 }, { timeout: 5 }).catch(() => undefined)
  const write = (): never => {
    throw new Error(text)
  }
  const failing = deedbox({ ...quiet, ledger: null, log: { sink: { write } } })
  failing.log.info('lost')
  for (const each of [one, closed, failing]) await each.close(0)
}

/** Settings in each other's places, as a service prints them. */
function misconfigure({ text }: Entry): void {
  const wrong: object[] = [
    { log: { level: text } },
    { trustProxy: text },
    { eventNames: text },
    { requestId: { header: `${text}\n` } },
    { propagate: [text] },
    { redact: { paths: [`a..${text}`] } },
    { ledger: { url: text, apiKey: text } },
    { ledger: { url: 'http://h.example', apiKey: `${text}\n` } },
  ]
  for (const options of wrong) {
    try {
      void deedbox({ flushOnSignal: false, ...options }).close(0)
    } catch (error) {
      console.error(inspect(error, { showHidden: true }))
    }
  }
}

/** All that goes anywhere has gone there; what is for the chest that takes nothing would be waited for in vain. */
async function delivered(): Promise<void> {
  for (;;) {
    await box.flush(100)
    const { audit, chests } = box.stats()
    const waiting = chests.filter(({ id }) => id !== away.id).map(({ queued }) => queued)
    if (waiting.every(count => count === 0) && audit.queued === 0) return
  }
}

function makeServer() {
  if (framework === 'http') return createServer(observe(box, { unhandled: 'answer' })(handle))
  const app = express()
  app.set('env', 'test')
  app.use(observeExpress(box, { unhandled: 'answer' }))
  app.use('/parsed', express.json(), express.urlencoded({ extended: true }), express.text())
  app.use(handle)
  return createServer(app)
}

const server = makeServer()
attachServer(server, box)
process.on('message', async order => {
  if (order === 'write') await writeAll()
  if (order === 'die') {
    const texts = secrets.map(({ text }) => text)
    for (let i = 0; i < texts.length; i += 40) {
      void Promise.reject(
        new Error(texts.slice(i, i + 20).join('\n'), { cause: texts.slice(i + 20, i + 40).join('\n') }),
      )
    }
    return
  }
  if (order === 'end') {
    server.close()
    server.closeAllConnections()
    await box.close(500)
    await ledger?.close()
    process.send?.('ended')
    return process.disconnect()
  }
  await delivered()
  process.send?.('done')
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))

import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'

// Express as it was before its router published what it does: the router takes its channel when it is loaded, and
// here it gets one that nobody can subscribe to. Prints one line per request: path, route, status and error.
const channels = createRequire(import.meta.url)('node:diagnostics_channel') as {
  tracingChannel: (name: string) => unknown
}
const { tracingChannel } = channels
channels.tracingChannel = name => tracingChannel(name.startsWith('express.') ? `${name}.unheard` : name)
const { default: express } = await import('express')
channels.tracingChannel = tracingChannel

const { captureLog } = await import('./captured-log.ts')
const { observe } = await import('../frameworks/express.ts')

const { box, recorded } = captureLog()
// Nothing is known of any router yet when its first request begins.
const first = express()
first.set('env', 'test')
first.use(observe(box))
first.param('id', (_request, _response, next, id) => next(id === '1' ? new Error('first') : undefined))
first.get('/first/:id', (_request, response) => void response.json(1))

const app = express()
app.set('env', 'test')
app.use(observe(box))
const items = express.Router({ mergeParams: true })
items.get('/items/:item', (_request, response) => void response.json(1))
items.get('/broken', async () => {
  throw new Error('rejected')
})
app.use('/orgs/:org', items)
app.get(['/one/:n', '/other/:n'], (_request, response) => void response.json(1))
app.get('/flat/:x', (_request, response) => void response.json(1))
app.get('/throw', () => {
  throw new Error('thrown')
})
app.post('/json', express.json(), (_request, response) => void response.json(1))
const onError: import('express').ErrorRequestHandler = (error, _request, _response, next) =>
  next(error.message === 'thrown' ? new Error('translated') : error)
app.use(onError)

const server = createServer((request, response) =>
  request.url?.startsWith('/first') === true ? first(request, response) : app(request, response),
).listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
for (const path of [
  '/first/0',
  '/first/1',
  '/orgs/7/items/8',
  '/orgs/7/broken',
  '/flat/1',
  '/other/1',
  '/throw',
  '/nowhere',
])
  await fetch(`${url}${path}`)
await fetch(`${url}/json`, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } })
for (const { path, route, status, error } of await recorded(9)) {
  console.log(JSON.stringify([path, route, status, error === null ? null : String(error.thrown)]))
}
server.closeAllConnections()
server.close()

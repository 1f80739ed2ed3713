import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { deedbox } from 'deedbox'
import { health, observe } from 'deedbox/http'
import { metrics } from 'deedbox/metrics'
import { AggregatorRegistry, register } from 'prom-client'

// Several processes serve one port; the primary tells the sums of all under a port of its own.
const gathered = new AggregatorRegistry()

if (cluster.isPrimary) {
  // A ledger whose quota is used up.
  const ledger = createServer((_request, response) => {
    response.writeHead(429, { 'Retry-After': '3600' }).end()
  })
  await once(ledger.listen(0, '127.0.0.1'), 'listening')
  const LEDGER_PORT = String((ledger.address() as AddressInfo).port)
  const workers = [cluster.fork({ LEDGER_PORT }), cluster.fork({ LEDGER_PORT })]
  const ports = await Promise.all(workers.map(worker => new Promise(tell => worker.once('listening', tell))))
  const { port } = ports[0] as { port: number }
  const server = createServer(async (_request, response) => {
    const text = await gathered.clusterMetrics()
    response.setHeader('Content-Type', gathered.contentType)
    response.end(text)
  })
  server.listen(0, '127.0.0.1', () => {
    const { port: own } = server.address() as { port: number }
    process.stdout.write(`${port} ${own}\n`)
  })
} else {
  const box = deedbox({
    service: 'shop',
    ledger: { url: `http://127.0.0.1:${process.env.LEDGER_PORT}`, apiKey: 'k' },
    audit: { durability: 'memory', requests: false },
    log: { sink: () => undefined },
  })
  const measured = metrics(box, { registry: register })
  const handler = observe(box)((_request, response) => {
    response.setHeader('Connection', 'close')
    response.end()
  })
  await box.send('shop.opened', {}).catch(() => undefined)
  createServer(health(box, { metrics: measured, ownChecks: false })(handler)).listen(0, '127.0.0.1')
}

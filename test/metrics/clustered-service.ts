import cluster from 'node:cluster'
import { createServer } from 'node:http'
import { deedbox } from 'deedbox'
import { health, observe } from 'deedbox/http'
import { metrics } from 'deedbox/metrics'
import { AggregatorRegistry, register } from 'prom-client'

// Several processes serve one port; the primary tells the sums of all under a port of its own.
const gathered = new AggregatorRegistry()

if (cluster.isPrimary) {
  const workers = [cluster.fork(), cluster.fork()]
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
  const box = deedbox({ service: 'shop', ledger: null, log: { sink: () => undefined } })
  const measured = metrics(box, { registry: register })
  const handler = observe(box)((_request, response) => {
    response.setHeader('Connection', 'close')
    response.end()
  })
  createServer(health(box, { metrics: measured, ownChecks: false })(handler)).listen(0, '127.0.0.1')
}

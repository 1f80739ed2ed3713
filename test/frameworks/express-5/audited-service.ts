// The service of the outbox drills: an ordinary Express service whose every request is an audit event. The parent reads
// the port from standard output.
import cluster from 'node:cluster'
import type { AddressInfo } from 'node:net'
import { type AuditOptions, deedbox } from 'deedbox'
import { observe } from 'deedbox/express'
import express from 'express'

const workers = Number(process.env.DRILL_WORKERS ?? 0)

if (cluster.isPrimary && workers > 0) {
  for (let n = 0; n < workers; n++) cluster.fork()
  cluster.on('exit', (worker, _code, signal) => {
    process.stdout.write(`gone ${worker.process.pid}\n`)
    if (signal === 'SIGKILL') cluster.fork()
  })
  cluster.on('listening', (worker, { port }) =>
    process.stdout.write(`listening ${port} ${worker.process.pid}\n`),
  )
  process.once('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM')
  })
} else {
  const audit = JSON.parse(process.env.DRILL_AUDIT ?? '{}') as AuditOptions
  const box = deedbox({ service: 'drill', log: { level: 'WARNING', sink: 'stderr' }, audit })
  const app = express()
  app.use(observe(box))
  app.post('/orders', (_request, response) => {
    box.event('order.placed')
    response.json({ ok: true, worker: process.pid })
  })
  app.get('/healthz', (_request, response) => {
    response.json({ pid: process.pid, ...box.stats().audit })
  })
  const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
    if (cluster.isPrimary) {
      process.stdout.write(`listening ${(server.address() as AddressInfo).port} ${process.pid}\n`)
    }
  })
}

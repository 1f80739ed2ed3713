// A cluster whose workers log to one file that rotates, and then exit without waiting for anything.
// Arguments: the path, `served`, `closed` or `alone` (whether the primary has a sink for the file, or one that it closes
// while the workers log), lines of each worker.
// Prints how many messages with lines the primary had.

import cluster from 'node:cluster'
import { deedbox } from '../index.ts'
import { fileSink } from '../log/index.ts'

const [path = '', mode = '', count = '0'] = process.argv.slice(2)
const options = { path, rotate: { size: '200 kB' }, compress: 'gzip' } as const
const workers = 4
const linesOfTurn = 50

function primary(): void {
  const sink = mode === 'alone' ? undefined : fileSink(options)
  let messages = 0
  let left = workers
  cluster.on('message', (_worker, { deedbox }) => {
    if (deedbox === 'log-lines' && ++messages === 10 && mode === 'closed') void sink?.close()
  })
  cluster.on('exit', async () => {
    if (--left > 0) return
    await sink?.close()
    console.log(messages)
  })
  for (let number = 0; number < workers; number++) cluster.fork({ NUMBER: String(number) })
}

async function worker(): Promise<void> {
  const sink = fileSink(options)
  const box = deedbox({ env: 'production', ledger: null, log: { sink, source: 'never' } })
  const first = Number(process.env.NUMBER) * Number(count)
  for (let i = 0; i < Number(count); i++) {
    box.log.info('counted', { i: first + i })
    if (i % linesOfTurn === 0) await new Promise(resolve => setImmediate(resolve))
  }
  process.exit(0)
}

if (cluster.isPrimary) primary()
else await worker()

import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import { isMainThread, Worker } from 'node:worker_threads'
import { deedbox } from '../index.ts'
import { internalsOf } from '../internals.ts'
import { someEvents } from './ledger-events.ts'

// Three instances, each with ten events that the ledger does not take, in workers of a cluster, in threads, or in one
// process, which then ends hard; or the one that comes next.
const how = process.env.HOW
const here = fileURLToPath(import.meta.url)

async function keepTen(): Promise<void> {
  const { outlet } = internalsOf(deedbox({ service: 'family' })).auditor
  await Promise.all(someEvents(10).map(event => outlet.keep(event)))
}

if (how === 'next') {
  deedbox({ service: 'family' })
  setInterval(() => {}, 60_000)
} else if (how === 'instances') {
  await Promise.all([keepTen(), keepTen(), keepTen()])
  process.kill(process.pid, 'SIGKILL')
} else if (how === 'threads') {
  if (isMainThread) {
    const threads = [1, 2, 3].map(() => new Worker(here))
    await Promise.all(threads.map(thread => new Promise(resolve => thread.once('message', resolve))))
    process.kill(process.pid, 'SIGKILL')
  } else {
    await keepTen()
    const { parentPort } = await import('node:worker_threads')
    parentPort?.postMessage('kept')
    setInterval(() => {}, 60_000)
  }
} else if (cluster.isPrimary) {
  const workers = [1, 2, 3].map(() => cluster.fork())
  await Promise.all(workers.map(worker => new Promise(resolve => worker.once('exit', resolve))))
} else {
  await keepTen()
  process.kill(process.pid, 'SIGKILL')
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Scenario, scenarios } from './scenarios.ts'
import type { Said } from './services/service.ts'

/** What came of one service. */
export interface Played {
  /** The status that the client got for each scenario, `undefined` where none was sent. */
  readonly statuses: ReadonlyMap<Scenario, number | undefined>
  /** What the service wrote to standard output, and then to standard error, from its start to its natural end. */
  readonly output: string
}

/** Starts a file of `services/` as a process, makes the six requests one after the other, and lets it end. */
export async function play(service: string): Promise<Played> {
  const child = spawn(
    process.execPath,
    ['--conditions=@deedbox/source', join(import.meta.dirname, 'services', service)],
    { env: { PATH: process.env.PATH, NODE_ENV: 'production' }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  )
  const written = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (text: string) => {
      written[stream] += text
    })
  }
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const fails = ended.then(() => Promise.reject(new Error(`${service} ended: ${written.stderr}`)))
  fails.catch(() => undefined)
  try {
    const started = await Promise.race([heard(child), fails])
    if (started === 'arrived') throw new Error(`${service} had a request before it was ready.`)
    const statuses = new Map<Scenario, number | undefined>()
    for (const scenario of scenarios) {
      const status = await Promise.race([request(child, started.port, scenario), fails])
      if (status !== undefined && !scenario.answers.includes(status)) {
        throw new Error(`${service} answered ${status} to ${scenario.method} ${scenario.path}.`)
      }
      statuses.set(scenario, status)
    }
    child.send('end')
    const code = await ended
    if (code !== 0) throw new Error(`${service} ended with ${code}: ${written.stderr}`)
    return { statuses, output: written.stdout + written.stderr }
  } finally {
    child.kill('SIGKILL')
  }
}

async function heard(child: ChildProcess): Promise<Said> {
  const [said] = (await once(child, 'message')) as [Said]
  return said
}

/** Makes one request on a connection of its own, and resolves to the status once the connection is closed. */
async function request(child: ChildProcess, port: number, scenario: Scenario): Promise<number | undefined> {
  const { method, path, body, leaves } = scenario
  const socket = connect(port, '127.0.0.1')
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  let text = ''
  const first = new Promise<void>(resolve => {
    socket.setEncoding('latin1').on('data', (piece: string) => {
      text += piece
      if (text.includes('first')) resolve()
    })
  })
  const arrived = leaves === undefined ? undefined : heard(child)
  const length =
    body === undefined ? [] : ['content-type: application/json', `content-length: ${body.length}`]
  const head = [`${method} ${path} HTTP/1.1`, 'host: localhost', 'connection: close', ...length]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`)
  if (leaves !== undefined) {
    await arrived
    if (leaves === 'in the middle of the answer') await first
    socket.resetAndDestroy()
  }
  await closed
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]
  return status === undefined ? undefined : Number(status)
}

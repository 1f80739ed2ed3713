import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { root } from './ledger-process.ts'

/** A service whose two requests wait for one another, so that their lines are interleaved. */
const service = `
import { createServer } from 'node:http'
import { once } from 'node:events'
import { deedbox } from 'deedbox'
import { observe } from 'deedbox/http'

const box = deedbox({ service: 'shop', audit: { requests: process.env.DEEDBOX_URL !== undefined } })
const steps = []
const turn = () => new Promise(go => steps.push(go))
const server = createServer(
  observe(box)(async (request, response) => {
    const order = request.url.slice(-1)
    box.log.info('looking up', { order })
    await turn()
    if (order === 'a') {
      box.log.info('found', { order })
      await turn()
      response.end('ok')
    } else {
      box.log.warning('not found', { order })
      await turn()
      box.log.error('no answer', new Error('no such order'))
      response.writeHead(500).end()
    }
  }),
).listen(0)
await once(server, 'listening')
const call = id =>
  fetch('http://127.0.0.1:' + server.address().port + '/orders/' + id.slice(-1), {
    headers: { 'x-request-id': id, connection: 'close' },
  }).then(response => response.text(), () => '')
const a = call('req-a')
while (steps.length < 1) await new Promise(go => setImmediate(go))
const b = call('req-b')
while (steps.length < 2) await new Promise(go => setImmediate(go))
steps.shift()()
while (steps.length < 2) await new Promise(go => setImmediate(go))
steps.shift()()
while (steps.length < 2) await new Promise(go => setImmediate(go))
box.log.info('nobody’s line')
const [endA, endB] = steps
endB()
await b
endA()
await a
server.close()
await box.close()
`

/** Runs the service, its log in a file. @returns what the log holds */
export async function playTwoRequests(
  file: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Record<string, unknown>[]> {
  const out = openSync(file, 'w')
  const child = spawn(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module', '-e', service],
    {
      cwd: root,
      env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
      stdio: ['ignore', out, out],
    },
  )
  const [code] = await once(child, 'exit')
  closeSync(out)
  const text = readFileSync(file, 'utf8')
  if (code !== 0) throw new Error(`the service ended with ${code}: ${text}`)
  return text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
}

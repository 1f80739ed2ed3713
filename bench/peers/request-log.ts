import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { announce } from './serve.ts'

// A trivial handler on a framework, with the request log of somebody or without one. Arguments: the framework, and
// the logger as its file below names it. Logs go where they go by themselves, but ours to standard output as well;
// that is /dev/null here.

const [framework = '', logger = ''] = process.argv.slice(2)
const frameworks: Record<string, () => Promise<typeof import('./request-log/express.ts')>> = {
  http: () => import('./request-log/node-http.ts'),
  express: () => import('./request-log/express.ts'),
  fastify: () => import('./request-log/fastify.ts'),
}
const { servers } = (await frameworks[framework]?.()) ?? {}
const server = await servers?.[logger]?.()
if (server === undefined) throw new Error(`There is no ${logger} on ${framework} here.`)
if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
settleHeap()
announce(server)

/**
 * Moves what was loaded to the old generation, where a service that has run for a while has it. Names of Express's route
 * parameters that are still young at the first request cost less for ever: whoever has loaded less may be lucky.
 * (Decision 70)
 */
function settleHeap(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let times = 0; times < 3; times++) collect()
}

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { TestContext } from 'node:test'

/** A network between a service and its ledger that can be cut at the worst moment. */
export interface CuttingProxy {
  readonly url: string
  /** Connections that were cut so far. */
  cuts(): number
  /** From now on, each answer of the ledger is lost with its connection, with this probability. */
  cutAnswers(probability: number): void
}

/** A TCP proxy that lets requests through and now and then loses the answer: the ledger stored, and nobody heard of it. */
export async function cuttingProxy(t: TestContext, target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target)
  let probability = 0
  let cuts = 0
  const server = createServer(client => {
    const ledger = connect(Number(port), hostname)
    const end = (): void => {
      client.destroy()
      ledger.destroy()
    }
    client.on('error', end).on('close', end)
    ledger.on('error', end).on('close', end)
    client.pipe(ledger)
    ledger.on('data', answer => {
      if (Math.random() >= probability) {
        client.write(answer)
        return
      }
      cuts++
      end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    cuts: () => cuts,
    cutAnswers: chance => {
      probability = chance
    },
  }
}

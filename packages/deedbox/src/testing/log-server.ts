import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { encodeEntryBundle, parseTilePath, tileWidth } from '@deedbox/tlog'
import type { SmallLog } from './small-log.ts'

/** A log behind a real socket. */
export interface LogServer {
  url: string
  /** Every path that was asked for, in order. */
  asked: string[]
  requests: IncomingMessage[]
}

/** Answers a request in place of the log, or leaves it to the log by returning false. */
export type Mischief = (path: string, response: ServerResponse, request: IncomingMessage) => boolean

/** Serves a log as C2SP tlog-tiles has it, with one answer or another of its own. Stops with the test. */
export async function serveLog(
  t: TestContext,
  log: SmallLog,
  mischief: Mischief = () => false,
  checkpoint: string = log.checkpoint(),
): Promise<LogServer> {
  const asked: string[] = []
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace('/ledgers/main/', '')
    asked.push(path)
    requests.push(request)
    if (mischief(path, response, request)) return
    const bytes = bytesOf(log, path, checkpoint)
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, requests }
}

function bytesOf(log: SmallLog, path: string, checkpoint: string): Uint8Array | string | undefined {
  if (path === 'vkey') return `${log.keyText}\n`
  if (path === 'checkpoint') return checkpoint
  if (!path.startsWith('tile/')) return undefined
  const tile = parseTilePath(path)
  const { n, width } = tile
  const level = tile.kind === 'hashes' ? tile.level : 0
  if (tileWidth(level, n, log.tree.size) < width) return undefined
  if (tile.kind === 'hashes') return log.tile(level, n).subarray(0, width * 32)
  return encodeEntryBundle(log.leaves.slice(n * 256, n * 256 + width))
}

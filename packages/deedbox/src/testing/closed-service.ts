// A service in which every response waits for the ledger. It says its port and serves until it is killed.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { observe } from '../frameworks/node-http.ts'
import { deedbox } from '../index.ts'

const box = deedbox({ service: 'shop' })
const server = createServer(observe(box)((_request, response) => response.end('done')))
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port};`))

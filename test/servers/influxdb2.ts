import { request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { SelfSigned } from './certificates.ts'
import type { ServerKind } from './server-kind.ts'

/** How InfluxDB 2 is to listen. */
export interface Influxdb2Options {
  /** HTTPS and nothing else. */
  readonly certificate?: SelfSigned
}

/** Its build takes Rust beside Go, and some ten minutes: only where somebody asks for it. */
const source = {
  module: 'github.com/influxdata/influxdb/v2',
  version: 'v2.7.11',
  package: './cmd/influxd',
  linked: 'main.version=v2.7.11',
  pkgConfig: 'github.com/influxdata/pkg-config@v0.2.11',
}

/** InfluxDB 2. It takes nothing before {@link setUpInfluxdb2}. */
export function influxdb2({ certificate }: Influxdb2Options = {}): ServerKind {
  return {
    name: 'InfluxDB 2',
    program: 'influxd',
    version: /^InfluxDB v?2\./,
    folders: ['usr/bin', 'usr/local/bin', 'opt/homebrew/opt/influxdb/bin', 'opt/homebrew/opt/influxdb@2/bin'],
    packages: [],
    ...(process.env.DEEDBOX_BUILD_INFLUXDB2 === '1' ? { source } : {}),
    image: { name: 'influxdb:2.7.11' },
    refusesRoot: false,
    end: 'SIGKILL',
    // What it acknowledged is in its log.
    halt: 'SIGKILL',
    ready: /Listening\b.*\btransport\b/,
    prepare: () => {},
    args: ({ folder, port }) => [
      `--bolt-path=${join(folder, 'bolt')}`,
      `--sqlite-path=${join(folder, 'sqlite')}`,
      `--engine-path=${join(folder, 'engine')}`,
      `--http-bind-address=127.0.0.1:${port}`,
      '--reporting-disabled',
      ...(certificate === undefined
        ? []
        : [`--tls-cert=${certificate.certFile}`, `--tls-key=${certificate.keyFile}`]),
    ],
  }
}

/** Where a server is asked. */
export interface Place {
  readonly port: number
  readonly certificate?: SelfSigned
}

/** An InfluxDB 2 that was set up: who may do everything in it, and for whom. */
export interface SetUpInfluxdb2 extends Place {
  readonly token: string
  readonly org: string
  readonly orgId: string
}

/** Sets up a server that was just started: a user, the organisation `shop` and a token. */
export async function setUpInfluxdb2({ port, certificate }: Place): Promise<SetUpInfluxdb2> {
  const place = { port, ...(certificate && { certificate }) }
  const token = 'what-only-the-tests-know'
  const first = { username: 'admin', password: token, org: 'shop', bucket: 'first', token }
  const { org } = (await call(place, '/api/v2/setup', first)) as {
    readonly org: { readonly id: string; readonly name: string }
  }
  return { ...place, token, org: org.name, orgId: org.id }
}

/** Creates a bucket that InfluxQL knows as the database of the same name. */
export async function createBucket(server: SetUpInfluxdb2, name: string): Promise<void> {
  const { orgId: orgID } = server
  const bucket = { orgID, name, retentionRules: [] }
  const { id } = (await call(server, '/api/v2/buckets', bucket)) as { readonly id: string }
  const mapping = { orgID, bucketID: id, database: name, retention_policy: 'autogen', default: true }
  await call(server, '/api/v2/dbrps', mapping)
}

/** @throws Error with the answer, unless it is a success */
async function call(
  { port, certificate, token }: Place & { readonly token?: string },
  path: string,
  body: object,
): Promise<unknown> {
  const [status, answer] = await new Promise<[number, string]>((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method: 'POST',
      agent: false,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Token ${token}` }),
      },
      ...(certificate && { ca: certificate.cert }),
    } as const
    const request = certificate === undefined ? plainRequest : secureRequest
    request(options, response =>
      text(response).then(said => resolve([response.statusCode ?? 0, said]), reject),
    )
      .on('error', reject)
      .end(JSON.stringify(body))
  })
  if (status < 200 || status > 299) throw new Error(`${path} answered ${status}: ${answer}`)
  return JSON.parse(answer)
}

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { tempFolder } from '../../packages/ledger/src/testing/temp-ledger.ts'
import { findTexts } from './byte-search.ts'
import { type Call, clientPlaces, connectTo } from './client.ts'
import { controls, secrets } from './corpus.ts'
import { logPlaces, requestPlaces } from './places.ts'

const program = fileURLToPath(new URL('service.ts', import.meta.url))
const apiKey = `deed_live_${'Zk3vN8qLw2RtY6uB1xCm'}`

/** A service process with everything that it writes in one folder. */
interface Service {
  readonly child: ChildProcess
  readonly port: number
  /** Tells the process what to do; resolves when it says that it is done. */
  tell(order: 'write' | 'flush' | 'end'): Promise<void>
  /** All bytes of the files, or of those with certain names, that the process has written so far. */
  written(isMeant?: (name: string) => boolean): Buffer
}

async function start(t: TestContext, how: readonly string[]): Promise<Service> {
  const folder = tempFolder(t)
  const outputs = ['stdout', 'stderr'].map(name => openSync(join(folder, name), 'a'))
  const [stdout = 1, stderr = 2] = outputs
  const child = spawn(
    process.execPath,
    ['--conditions=@deedbox/source', '--disable-warning=ExperimentalWarning', program, ...how, folder],
    {
      stdio: ['ignore', stdout, stderr, 'ipc'],
      env: { ...process.env, SECRET_KEY: apiKey, NODE_OPTIONS: '', DEEDBOX_SPOOL: join(folder, 'spool') },
    },
  )
  for (const output of outputs) closeSync(output)
  t.after(() => child.kill('SIGKILL'))
  const [port] = (await once(child, 'message')) as [number]
  return {
    child,
    port,
    async tell(order) {
      child.send(order)
      await once(child, 'message')
    },
    written: (isMeant = () => true) =>
      Buffer.concat(
        readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter(entry => entry.isFile() && isMeant(entry.name))
          .map(entry => readFileSync(join(entry.parentPath, entry.name))),
      ),
  }
}

/** Puts the corpus, and what has to survive, everywhere where a client or a handler can put something. */
async function putEverywhere({ port }: Service): Promise<void> {
  const client = connectTo(port)
  const calls: Call[] = []
  for (const [place, callOf] of Object.entries(clientPlaces)) {
    for (const entry of [...secrets, ...controls(place)]) calls.push(callOf(entry) ?? {})
  }
  for (const place of [...Object.keys(requestPlaces), 'validation']) {
    const count = secrets.length + controls(place).length
    for (let i = 0; i < count; i++) calls.push({ headers: { 'x-place': place, 'x-entry': String(i) } })
  }
  const next = calls.values()
  const work = async (): Promise<void> => {
    for (const call of next) await client.call(call)
  }
  await Promise.all(Array.from({ length: 16 }, work))
  for (const { text } of [...secrets, ...controls('malformed')]) await client.malformed(text)
  client.close()
}

function assertNoSecret(bytes: Buffer): void {
  const whats = new Map(secrets.map(({ what, secret = '' }) => [secret, what]))
  whats.set(apiKey.slice(10), 'the key of the ledger')
  const leaks = [...findTexts(bytes, whats.keys())].map(([secret, where]) => `${whats.get(secret)}: ${where}`)
  assert.deepEqual(leaks, [])
}

/** Places whose controls are not written, or not as they are. */
const unwritten: ReadonlySet<string> = new Set([
  'header',
  'forwarded',
  'request id',
  'JSON body',
  'malformed JSON body',
  'multipart body',
  'UTF-16 body',
  'error members',
  'log bytes',
])

function assertSurvivors(bytes: Buffer, places: readonly string[]): void {
  assert.ok(assertKept(bytes, places) > 500)
}

/** @returns how many texts there were to keep */
function assertKept(bytes: Buffer, places: readonly string[]): number {
  const handedOver = places
    .filter(place => !unwritten.has(place))
    .flatMap(place =>
      controls(place).filter(entry => !(place in clientPlaces) || clientPlaces[place]?.(entry)),
    )
    .map(({ text }) => text)
  const found = findTexts(bytes, handedOver)
  const lost = handedOver.filter(text => !found.has(text))
  assert.deepEqual(lost, [])
  return handedOver.length
}

const places = [
  ...Object.keys(clientPlaces),
  ...Object.keys(requestPlaces),
  ...Object.keys(logPlaces),
  ...['validation', 'malformed', 'sent', 'warning', 'notice'],
]

/** What of a request stands with its tracked variables: themselves, its route, and its error. */
const trackedPlaces = ['set text', 'set value', 'route template', 'thrown error', 'rejected promise']

for (const how of [
  ['express', 'flat', 'ledger'],
  ['http', 'mozlog', 'ledger'],
  ['http', 'flat', 'none'],
] as const) {
  const [, format, store] = how
  test(`IF-25 FA-18 FA-08 IF-03 FC-04 no byte of a service holds a secret: ${how.join(', ')}`, async t => {
    const service = await start(t, how)
    await putEverywhere(service)
    await service.tell('write')
    const journal = service.written(name => name.startsWith('ledger.db-'))
    assert.equal(journal.length > 0, store === 'ledger')
    const spool = service.written(name => name.endsWith('.events'))
    await service.tell('end')
    const bytes = Buffer.concat([journal, spool, service.written()])
    assertNoSecret(bytes)
    // In the spool, in the file of a chest, and among what another one refused.
    for (const kept of [
      spool,
      service.written(name => name === 'vars.db'),
      service.written(name => name.endsWith('.jsonl')),
    ])
      assertKept(kept, trackedPlaces)
    assertSurvivors(
      bytes,
      places.filter(place => place !== 'language' || format === 'mozlog'),
    )
  })
}

test('what looks for secrets finds them in each form, and nothing else', () => {
  const secret = 'a "b" &?\n€'
  const forms = [
    secret,
    JSON.stringify(secret),
    JSON.stringify(JSON.stringify({ secret })),
    encodeURIComponent(secret),
    encodeURIComponent(encodeURIComponent(secret)),
    String(new URLSearchParams({ secret })),
    ...['', 'x', 'xy', 'xyz'].map(before => Buffer.from(`${before}${secret} after`).toString('base64')),
  ]
  for (const form of forms) {
    const found = findTexts(Buffer.from(`before ${form} behind`), [secret, 'no such text'])
    assert.deepEqual([...found.keys()], [secret], form)
  }
})

test('IF-25 FA-26 a process that dies of an error with secrets tells it without them', async t => {
  const service = await start(t, ['http', 'flat', 'none'])
  service.child.send('die')
  const [code] = await once(service.child, 'exit')
  assert.equal(code, 1)
  const bytes = service.written()
  assertNoSecret(bytes)
  assert.ok(bytes.includes('"message":"Unhandled rejection"'))
  assert.ok(bytes.includes('[redacted]'))
})

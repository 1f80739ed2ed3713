import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openLedger } from '@deedbox/ledger'
import { command, ledgerEnv } from './ledger-process.ts'

/** The token of the tests' servers, and the API key that they take from their start on. */
export const moveToken = 'a-token-for-the-tests-of-moving'
export const ownKey = 'deed_live_a-key-for-the-tests-of-moving'

/** A ledger file of `openLedger`, closed, with what its users keep: a receipt, a checkpoint and the verifier key. */
export interface SourceFile {
  folder: string
  database: string
  size: number
  receipt: string
  checkpoint: string
  vkey: string
}

/** Makes one of so many events of about a kilobyte. */
export async function sourceFile(folder: string, events = 30): Promise<SourceFile> {
  const database = join(folder, 'audit.db')
  const ledger = await openLedger(database, { guard: join(folder, 'guard') })
  const sent = Array.from({ length: events }, (_, n) => anEvent(n))
  const [first] = await ledger.appendBatch(sent)
  const source = {
    folder,
    database,
    size: ledger.head().size,
    receipt: join(folder, 'receipt.tlog-proof'),
    checkpoint: join(folder, 'old.checkpoint'),
    vkey: join(folder, 'ledger.vkey'),
  }
  if (first === undefined || !('txId' in first)) throw new Error(JSON.stringify(first))
  writeFileSync(source.receipt, ledger.receipt(first.txId))
  writeFileSync(source.checkpoint, ledger.head().note)
  writeFileSync(source.vkey, `${ledger.verifierKey}\n`)
  await ledger.close()
  return source
}

/** The same file in another folder. */
export function copyOf(source: SourceFile, folder: string): SourceFile {
  cpSync(source.folder, folder, { recursive: true })
  const at = (path: string) => path.replace(source.folder, folder)
  const { database, receipt, checkpoint, vkey, size } = source
  return {
    folder,
    size,
    database: at(database),
    receipt: at(receipt),
    checkpoint: at(checkpoint),
    vkey: at(vkey),
  }
}

function anEvent(n: number) {
  const payload = JSON.stringify({ n, text: `${n} `.repeat(300) })
  return { payload, meta: { type: 'info', event_name: 'order.placed', service: 'shop' } } as const
}

/** Whether a service could write to the file now: `written`, or the code of the error that it would see. */
export async function writeTo({ database, folder }: SourceFile): Promise<string> {
  try {
    const ledger = await openLedger(database, { guard: join(folder, 'guard'), inline: true })
    try {
      await ledger.append(anEvent(0))
      return 'written'
    } finally {
      await ledger.close()
    }
  } catch (error) {
    return (error as { code: string }).code
  }
}

/** Whether a server takes an event now: `written`, or the reason that it gives, or `unreachable`. */
export async function sendTo(url: string): Promise<string> {
  try {
    const { payload, meta } = anEvent(0)
    const response = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ownKey}` },
      body: JSON.stringify({ payload, meta }),
    })
    const answer = (await response.json()) as { reason?: string }
    return response.status === 202 ? 'written' : String(answer.reason)
  } catch {
    return 'unreachable'
  }
}

/** A running command. */
export interface Running {
  child: ChildProcess
  stdout(): string
  stderr(): string
  /** Resolves with its exit code, or the signal that ended it. */
  ended: Promise<number | string>
}

/** Starts the built command. */
export function start(t: TestContext, args: string[], env: NodeJS.ProcessEnv): Running {
  const child = spawn(process.execPath, [command, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    err += text
  })
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  return { child, stdout: () => out, stderr: () => err, ended }
}

/** Resolves once a command has printed this. */
export async function printed(running: Running, pattern: RegExp): Promise<string> {
  for (;;) {
    const found = pattern.exec(running.stdout())
    if (found !== null) return found[1] ?? found[0]
    const ended = await Promise.race([once(running.child.stdout!, 'data').then(() => false), running.ended])
    if (ended !== false && !pattern.test(running.stdout())) {
      throw new Error(`it ended with ${ended}: ${running.stdout()}${running.stderr()}`)
    }
  }
}

/** A running server; its data folder is `data` in `folder`. */
export interface Server extends Running {
  url: string
  folder: string
}

/** A server that awaits a ledger, and then is that ledger's. */
export async function awaitingServer(
  t: TestContext,
  folder: string,
  more: Record<string, string> = {},
): Promise<Server> {
  const env = ledgerEnv(folder, { DEEDBOX_MOVE_TOKEN: moveToken, DEEDBOX_BOOTSTRAP_KEY: ownKey, ...more })
  const running = start(t, ['serve', '--await-move'], env)
  const url = await printed(running, /address +(http:\S+)\n/)
  return { ...running, url, folder }
}

/** Runs `deedbox move` to its end, or until it is killed. */
export function startMove(
  t: TestContext,
  source: SourceFile,
  url: string,
  args: string[] = [],
  more: Record<string, string> = {},
): Running {
  const env = {
    ...process.env,
    DEEDBOX_GUARD: join(source.folder, 'guard'),
    DEEDBOX_MOVE_TOKEN: moveToken,
    ...more,
  }
  return start(t, ['move', source.database, '--to', url, ...args], env)
}

/** What a door in front of the server does with a request. */
export interface Door {
  url: string
  /** Where it leads. */
  target: string
  /** Called before a request goes on; may change its body, and cuts the connection by `cut`. */
  before: (what: string, body: Buffer) => Promise<Buffer | 'cut'> | Buffer | 'cut'
  /** Called when the answer is there and has not gone back yet. */
  after: (what: string) => Promise<'cut' | undefined> | 'cut' | undefined
}

/** A door between the client and the server, through which every request of a move goes. */
export async function aDoor(t: TestContext, target: string): Promise<Door> {
  const door: Door = { url: '', target, before: (_what, body) => body, after: () => undefined }
  const server = createServer((request, response) => {
    pass(door, request, response).catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close().closeAllConnections())
  door.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return door
}

async function pass(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = []
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
  const step = /do=(\w+)/.exec(request.url ?? '')?.[1]
  const what = step ?? request.method ?? ''
  const body = await door.before(what, Buffer.concat(pieces))
  if (body === 'cut') return void response.destroy()
  const { method, headers } = request
  const onward = send(`${door.target}${request.url}`, {
    method: method ?? 'GET',
    headers: { authorization: headers.authorization ?? '', 'content-length': String(body.length) },
    agent: false,
  })
  onward.end(body)
  const [answer] = (await once(onward, 'response')) as [IncomingMessage]
  const text = Buffer.concat(await answer.toArray())
  if ((await door.after(what)) === 'cut') return void response.destroy()
  response.writeHead(answer.statusCode ?? 500, { 'content-type': 'application/json' }).end(text)
}

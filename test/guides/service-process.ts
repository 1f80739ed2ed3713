import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { keepLine } from '../../packages/deedbox/src/testing/kept-lines.ts'

/** One line of a log. */
export type Line = Record<string, unknown>

/** What came back, whole. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A running service of a page. */
export interface RunningService {
  readonly port: number
  readonly pid: number
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  /** A call over a connection of its own. */
  call(
    method: string,
    path: string,
    more?: {
      headers?: Readonly<Record<string, string>>
      json?: unknown
      body?: string
      /** Where it listens on several ports. */
      port?: number
    },
  ): Promise<Answer>
  /** The ports on which it listens, once there are so many. */
  ports(count: number): Promise<readonly number[]>
  /** Standard error so far, without the lines of the log. */
  rest(): string
  stdout(): string
  /** The lines of the log so far. */
  lines(): Line[]
  /** The lines of one request, once the request's own is among them. */
  linesOf(answer: Answer): Promise<Line[]>
  /** Resolves to the lines once they fulfil the condition. */
  when(condition: (lines: Line[]) => boolean): Promise<Line[]>
  /** Ends the process with a signal and resolves to its exit code, or the signal that ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | string>
}

/** Variables of a service that inherits nothing from the test's own surroundings. */
export function cleanEnv(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, DEEDBOX_SPOOL } = process.env
  return { PATH, HOME, TMPDIR, DEEDBOX_SPOOL, ...more }
}

/** What a service is started with. */
export interface ServiceSettings {
  /** Its variables; it inherits none of ours. */
  readonly env?: Readonly<Record<string, string>>
  /** By which conditions it resolves packages. */
  readonly conditions?: readonly string[]
  /** Options of Node. */
  readonly flags?: readonly string[]
  /** What the file itself is given. */
  readonly args?: readonly string[]
  /** Where it runs. Default: its own folder. */
  readonly cwd?: string
}

/** Milliseconds after which a line that does not come fails the test, instead of holding up all. */
const longestWait = 20_000

/** Runs a file as a service, and waits until it listens. */
export async function startService(
  t: TestContext,
  file: string,
  { env = {}, conditions = [], flags = [], args = [], cwd = dirname(file) }: ServiceSettings = {},
): Promise<RunningService> {
  const reporter = pathToFileURL(`${import.meta.dirname}/report-port.ts`).href
  const child = spawn(
    process.execPath,
    [...conditions.map(name => `--conditions=${name}`), '--import', reporter, ...flags, file, ...args],
    {
      cwd,
      env: cleanEnv(env),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  )
  t.after(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  const waiting = new Set<() => void>()
  child.stdout?.setEncoding('utf8').on('data', part => {
    out += part
  })
  child.stderr?.setEncoding('utf8').on('data', part => {
    err += part
    for (const check of waiting) check()
  })
  const closed = once(child, 'close')
  void closed.then(() => {
    if (!/development/.test(JSON.stringify(env)))
      for (const line of err.split('\n')) if (line.startsWith('{"timestamp":')) keepLine(line)
  })
  const told = await Promise.race([once(child, 'message'), closed.then(() => undefined)])
  assert(told !== undefined, `the service ended before it listened:\n${out}${err}`)
  const [{ port }] = told as [{ port: number }]
  const ports = [port]
  child.on('message', message => ports.push((message as { port: number }).port))
  const printed = (): string[] => err.slice(0, err.lastIndexOf('\n') + 1).split('\n')
  const isLine = (line: string): boolean => line.startsWith('{"timestamp":')
  const lines = (): Line[] =>
    printed()
      .filter(isLine)
      .map(line => JSON.parse(line) as Line)
  const when: RunningService['when'] = condition =>
    new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${why} before that line came:\n${out}${err}`))
      const patience = setTimeout(fail, longestWait, 'too long a time passed')
      const check = (): void => {
        if (!condition(lines())) return
        waiting.delete(check)
        clearTimeout(patience)
        resolve(lines())
      }
      waiting.add(check)
      check()
      void closed.then(() => fail('the service ended'))
    })
  const ended = closed.then(([code, by]): number | string => code ?? by)
  return {
    port,
    pid: child.pid ?? 0,
    ended,
    call: (method, path, more = {}) => call(more.port ?? port, method, path, more),
    async ports(count) {
      while (ports.length < count) await once(child, 'message')
      return ports
    },
    rest: () =>
      err
        .split('\n')
        .filter(line => !isLine(line))
        .join('\n'),
    stdout: () => out,
    lines,
    when,
    async linesOf(answer) {
      const id = answer.headers['x-request-id']
      assert(id !== undefined, 'the answer has no X-Request-Id')
      const ofRequest = (all: Line[]): Line[] => all.filter(line => line.request_id === id)
      return ofRequest(await when(all => ofRequest(all).some(line => 'status_code' in line)))
    },
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}

/** The lines of one request, without those that stand for its event. */
export async function spokenIn(running: RunningService, answer: Answer): Promise<Line[]> {
  return (await running.linesOf(answer)).filter(line => !('payload' in line))
}

async function call(
  port: number,
  method: string,
  path: string,
  { headers = {}, json, body = json === undefined ? undefined : JSON.stringify(json) }: CallOptions,
): Promise<Answer> {
  const sent = request({
    host: '127.0.0.1',
    port,
    method,
    path,
    agent: false,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
  })
  sent.end(body)
  const [response] = await once(sent, 'response')
  return {
    status: response.statusCode,
    headers: response.headers as Record<string, string>,
    body: await text(response),
  }
}

type CallOptions = NonNullable<Parameters<RunningService['call']>[2]>

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { buildNextApp, type NextMajor, nextEnvironment } from './next-build.ts'
import type { Line } from './stage.ts'

/** A process of Next's own, and what it writes to its standard error. */
interface NextProcess {
  url: string
  port: number
  child: ChildProcess
  lines: Line[]
  /** Resolves to the line of the request with this id. */
  requestLine(id: string): Promise<Line>
  ask(path: string, id: string, init?: RequestInit): Promise<number>
}

/** The app as its users run it: `next start`, `next dev`, with the instance that instrumentation.ts makes. */
export function nextProcesses(major: NextMajor): void {
  test(`Next ${major}: the build warns of nothing of ours, also for the Edge runtime`, async () => {
    const { output } = await buildNextApp(major)
    assert.match(output, /Compiled successfully/)
    assert.doesNotMatch(output, /deedbox|node:|Node\.js (API|module)|instrumentation|module not found/i)
  })

  test(`DF-01 DF-06 DF-07 IF-05 IF-29 IF-16 Next ${major}: next start, one line for each request, with its route and its real error`, async t => {
    const next = await startNext(t, major, 'start')
    const failure = (message: string): RegExp => new RegExp(`^Error: ${message}`)
    for (const [path, status, route, error] of [
      ['/ok', 200, '/ok'],
      ['/orgs/acme/items/1', 200, '/orgs/[org]/items/[item]'],
      ['/throw', 500, '/throw', failure('sync failure')],
      ['/before', 500, undefined, failure('failure before')],
      ['/nowhere', 404, undefined],
      ['/prerendered', 200, '/prerendered'],
      ['/pages/here', 200, '/pages/[what]'],
      ['/pages/broken', 500, '/pages/[what]', failure('component failure')],
      ['/pages/missing', 404, '/pages/[what]'],
      ['/pages/moved', 307, '/pages/[what]'],
      ['/api/elsewhere', 307, '/api/elsewhere'],
      ['/api/nothing', 404, '/api/nothing'],
      ['/api/edge', 200, '/api/edge'],
      ['/api/legacy/1', 200, '/api/legacy/[id]'],
      ['/api/legacy/bad', 500, '/api/legacy/[id]', failure('legacy failure')],
    ] as const) {
      assert.equal(await next.ask(path, path), status, path)
      const line = await next.requestLine(path)
      assert.deepEqual([line.status_code, line.route], [status, route], path)
      // With the compression that fetch asks for, Next fails once more at its page for an error of the proxy.
      if (error === undefined) assert.equal(line.exception, undefined, path)
      else assert.match(String(line.exception), error)
    }
    const malformed = { method: 'POST', body: '{"password":"hunter2",' }
    assert.equal(await next.ask('/api/unguarded', 'malformed', malformed), 500)
    assert.match(String((await next.requestLine('malformed')).exception), /^SyntaxError: .*JSON/)
    assert.equal(await next.ask('/_next/static/nothing.js', 'asset'), 404)
    await servesHealth(next)
    await next.ask('/ok?gate', 'last')
    await next.requestLine('last')
    assert(next.lines.some(line => line.request_id === 'last' && line.message === 'passed the gate'))
    const counts = Object.groupBy(next.lines.filter(isRequestLine), line => String(line.request_id))
    for (const [id, lines] of Object.entries(counts)) assert.equal(lines?.length, 1, id)
  })

  test(`FA-14 FA-23 Next ${major}: next start, aborts, after(), and two requests at once that never cross`, async t => {
    const next = await startNext(t, major, 'start')
    await next.ask('/api/afterwards', 'afterwards')
    await until(next, () => next.lines.some(line => line.message === 'afterwards'))
    assert.equal(next.lines.find(line => line.message === 'afterwards')?.request_id, 'afterwards')

    const socket = connect(next.port, '127.0.0.1')
    socket.write('GET /api/meet/0 HTTP/1.1\r\nhost: a\r\nx-request-id: leaver\r\n\r\n')
    await next.ask('/ok', 'beside')
    await until(next, () => next.lines.some(line => line.message === 'meets 0'))
    socket.destroy()
    const left = await next.requestLine('leaver')
    assert.deepEqual([left.status_code, left.aborted, left.level], [499, true, 'WARNING'])
    await next.ask('/api/meet/1', 'released')

    for (const n of [2, 4, 6, 8]) {
      await Promise.all([n, n + 1].map(each => next.ask(`/api/meet/${each}`, `meet-${each}`)))
      for (const each of [n, n + 1]) {
        await next.requestLine(`meet-${each}`)
        const met = next.lines.filter(line => line.message === `met ${each}`)
        assert.deepEqual(
          met.map(line => line.request_id),
          [`meet-${each}`],
        )
      }
    }
    const answer = await fetch(`${next.url}/api/instance`, { headers: { 'x-request-id': 'instance' } })
    assert.deepEqual(await answer.json(), { requestId: 'instance' })
  })

  test(`Next ${major}: next start, a connection that carries on: nothing of a request stays on it`, async t => {
    const next = await startNext(t, major, 'start')
    const socket = connect(next.port, '127.0.0.1')
    socket.write('GET /ok HTTP/1.1\r\nhost: a\r\nx-request-id: first\r\n\r\n')
    await once(socket, 'data')
    await next.requestLine('first')
    socket.write('no request at all\r\n\r\n')
    await until(next, () => next.lines.some(line => line.status_code === 400))
    const malformed = next.lines.filter(line => line.status_code === 400)
    assert.equal(malformed.length, 1)
    assert.notEqual(malformed[0]?.request_id, 'first')
    socket.destroy()
  })
}

/** `next dev` compiles as it goes, and says the same. */
export function nextDev(major: NextMajor): void {
  test(`DF-01 IF-05 IF-29 Next ${major}: next dev, one line for each request, with the real error`, async t => {
    const next = await startNext(t, major, 'dev')
    assert.equal(await next.ask('/orgs/acme/items/1', 'item'), 200)
    assert.equal((await next.requestLine('item')).route, '/orgs/[org]/items/[item]')
    assert.equal(await next.ask('/throw', 'throw'), 500)
    assert.match(String((await next.requestLine('throw')).exception), /^Error: sync failure/)
    assert.equal(await next.ask('/pages/broken', 'broken'), 500)
    assert.match(String((await next.requestLine('broken')).exception), /^Error: component failure/)
    await servesHealth(next)
  })
}

/** What instrument() is told to serve is answered ahead of Next, which has no such page. */
async function servesHealth({ url }: NextProcess): Promise<void> {
  const answers = ['/__heartbeat__', '/__lbheartbeat__/'].map(async path => {
    const answer = await fetch(url + path)
    return [answer.status, await answer.text()]
  })
  const heartbeat = [200, '{"status":"ok","checks":{"queue":"ok"}}']
  assert.deepEqual(await Promise.all(answers), [heartbeat, [200, '']])
}

const isRequestLine = (line: Line): boolean => 'status_code' in line

async function startNext(t: TestContext, major: NextMajor, how: 'start' | 'dev'): Promise<NextProcess> {
  const { folder, command } = await buildNextApp(major)
  const child = spawn(process.execPath, [command, how, '-p', '0', '-H', '127.0.0.1'], {
    cwd: folder,
    // In development lines are laid out for people.
    env: { ...nextEnvironment(), DEEDBOX_LOG_FORMAT: 'flat', DEEDBOX_LOG_ERRORS: 'trace' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: `next dev` has a child that serves.
    detached: true,
  })
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    process.kill(-child.pid!, 'SIGKILL')
    await once(child, 'exit')
  })
  const lines: Line[] = []
  let rest = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const pieces = (rest + text).split('\n')
    rest = pieces.pop() ?? ''
    for (const piece of pieces) if (piece.startsWith('{"timestamp"')) lines.push(JSON.parse(piece))
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  while (!/Ready in/.test(said)) await once(child.stdout, 'data')
  const port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1])
  assert(port > 0, `Next said: ${said}`)
  // Next listens before it has run register(), in development even until a request comes.
  const isObserved = async (): Promise<boolean> =>
    (await fetch(`http://127.0.0.1:${port}/health`)).headers.has('x-request-id')
  while (!(await isObserved())) await new Promise(setImmediate)
  const next: NextProcess = {
    url: `http://127.0.0.1:${port}`,
    port,
    child,
    lines,
    async requestLine(id) {
      const find = (): Line | undefined => lines.find(line => line.request_id === id && isRequestLine(line))
      await until(next, () => find() !== undefined)
      return find()!
    },
    async ask(path, id, init = {}) {
      const answer = await fetch(next.url + path, {
        redirect: 'manual',
        ...init,
        headers: { 'x-request-id': id },
      })
      await answer.arrayBuffer()
      assert.equal(answer.headers.get('x-request-id') ?? id, id)
      return answer.status
    },
  }
  return next
}

/** Waits for lines until it is true. */
async function until({ child }: NextProcess, isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await once(child.stderr!, 'data')
}

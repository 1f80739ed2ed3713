import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { encodeEntryBundle, formatCheckpoint, type Verdict } from '@deedbox/tlog'
import { type LogServer, type Mischief, serveLog } from '../testing/log-server.ts'
import { origin, type SmallLog, smallLog } from '../testing/small-log.ts'
import { checkLog, LogFetch, type LogReport, type LogState } from './index.ts'

const size = 700
const log = smallLog(size)

/** Impatient, so that a test of a slow server is soon over. */
const fast = { backoff: 1, timeout: 500 }

async function check(
  server: LogServer,
  options: Partial<Parameters<typeof checkLog>[1]> = {},
  of: SmallLog = log,
): Promise<LogReport> {
  const fetching = new LogFetch(new URL(server.url), {
    ...fast,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  try {
    return await checkLog(fetching, { pinned: [of.key], ...options })
  } finally {
    fetching.close()
  }
}

async function verdictWith(t: TestContext, mischief: Mischief): Promise<LogReport> {
  return await check(await serveLog(t, log, mischief))
}

test('P12 a log is read whole: each entry, each tile once, root and signature', async t => {
  const server = await serveLog(t, log)
  const report = await check(server)
  assert.deepEqual([report.verdict, report.checked, report.size, report.isEvents], ['ok', size, size, true])
  for (const path of [
    'tile/entries/000',
    'tile/entries/002.p/188',
    'tile/0/000',
    'tile/0/002.p/188',
    'tile/1/000.p/2',
  ]) {
    const times = server.asked.filter(asked => asked === path).length
    assert.equal(times, 1, path)
  }
  assert.equal((await check(server, { pinned: [] })).verdict, 'ok_unpinned')
  assert.equal((await check(server, {}, smallLog(0))).verdict, 'bad_signature')
  assert.equal((await check(await serveLog(t, smallLog(0)), { pinned: [] })).verdict, 'nothing_checked')
})

test('a log that no longer has its partial tiles is read from the full ones', async t => {
  const grown = smallLog(300)
  const checkpoint = grown.checkpoint()
  for (let n = 300; n < 600; n++) grown.append(String(n))
  const gone: Mischief = (path, response) => {
    if (!path.includes('.p/')) return false
    if (path.startsWith('tile/1/')) return false
    response.writeHead(404).end()
    return true
  }
  const report = await check(await serveLog(t, grown, gone, checkpoint), {}, grown)
  assert.deepEqual([report.verdict, report.size], ['ok', 300])
})

test('P12 P5 F14 what a log serves is compared, piece by piece', async t => {
  const bundle = (change: (entries: Uint8Array[]) => Uint8Array[]) =>
    encodeEntryBundle(change(log.leaves.slice(256, 512)))
  const answers: [string, Uint8Array | undefined, Verdict, number][] = [
    ['tile/entries/001', bundle(entries => entries.with(3, log.leaves[9]!)), 'content_mismatch', 259],
    ['tile/entries/001', bundle(entries => entries.slice(1)), 'content_mismatch', 256],
    ['tile/entries/001', bundle(entries => entries.with(0, Buffer.from('{}'))), 'content_mismatch', 256],
    ['tile/entries/001', Uint8Array.of(0, 5, 1), 'content_mismatch', 256],
    ['tile/entries/001', new Uint8Array(), 'content_mismatch', 256],
    ['tile/entries/001', undefined, 'missing_index', 256],
    ['tile/0/001', log.tile(0, 1).with(40, 0).with(41, 0), 'content_mismatch', 257],
    ['tile/0/001', log.tile(0, 1).subarray(0, 32 * 255), 'content_mismatch', 511],
    ['tile/0/001', undefined, 'content_mismatch', 256],
    ['tile/1/000.p/2', undefined, 'content_mismatch', -1],
  ]
  for (const [path, bytes, verdict, index] of answers) {
    const report = await verdictWith(t, (asked, response) => {
      if (asked !== path)
        return asked === path.replace(/\.p\/.*/, '') && response.writeHead(404).end() !== null
      response.writeHead(bytes === undefined ? 404 : 200).end(bytes)
      return true
    })
    assert.equal(report.verdict, verdict, `${path} ${JSON.stringify(report.findings)}`)
    if (index >= 0) assert.equal(report.findings[0]?.index, index, path)
  }
})

test('P4 F10 a kept checkpoint tells a fork and a log that became shorter', async t => {
  const server = await serveLog(t, log)
  const sign = (of: number, root: Uint8Array) => log.sign(formatCheckpoint({ origin, size: of, root }))
  const root = log.tree.root()
  assert.equal((await check(server, { kept: sign(size, root) })).keptSize, size)
  assert.equal((await check(server, { kept: sign(500, root) })).verdict, 'fork')
  assert.equal((await check(server, { kept: sign(size + 1, root) })).verdict, 'truncated')
  assert.equal((await check(server, { kept: smallLog(1).checkpoint() })).verdict, 'bad_signature')
  assert.equal((await check(server, { kept: 'nonsense' })).verdict, 'bad_signature')
  const forged = await serveLog(t, log, () => false, sign(size, root.with(0, 1)))
  assert.equal((await check(forged)).verdict, 'fork')
  const huge = await serveLog(t, log, () => false, sign(2 ** 50, root))
  assert.equal((await check(huge)).verdict, 'bad_signature')
})

test('an interrupted run goes on where it ended, and only with what fits', async t => {
  const server = await serveLog(t, log)
  const stop = new AbortController()
  let state: LogState | undefined
  const save = (now: () => LogState) => {
    state = JSON.parse(JSON.stringify(now())) as LogState
    stop.abort(new Error('stopped'))
  }
  const kept = log.checkpoint()
  await assert.rejects(check(server, { save, signal: stop.signal, kept }), /stopped/)
  const resume = state!
  assert.equal(resume.tree.size, 256)
  server.asked.length = 0
  const report = await check(server, { resume })
  assert.deepEqual([report.verdict, report.checked, report.keptSize], ['ok', size, size])
  assert.deepEqual([report.earlier[0]?.from, report.earlier[0]?.to], [0, 256])
  assert(!server.asked.includes('tile/entries/000'))
  for (const [misfit, pinned] of [
    [{ ...resume, origin: 'other.example' }, [log.key]],
    [{ ...resume, what: 'data' }, [log.key]],
    [{ ...resume, tree: null }, [log.key]],
    [{ ...resume, kept: 7 }, [log.key]],
    [resume, []],
  ] as [LogState, LogReport[] & []][]) {
    await assert.rejects(
      check(server, { resume: misfit, pinned }),
      /^StateMisfit: The progress of the earlier run/,
    )
  }
  const early = log.sign(formatCheckpoint({ origin, size: 5, root: log.tree.root() }))
  assert.equal((await check(server, { resume, kept: early })).verdict, 'not_covered')
})

test('P30 a hostile or broken server costs a bounded time and memory, and is told by a sentence', async t => {
  const endless: Mischief = (path, response) => {
    if (path !== 'tile/0/001') return false
    response.writeHead(200)
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536))) {}
      if (!response.destroyed) response.once('drain', more)
    }
    more()
    return true
  }
  const answering = (status: number, headers: Record<string, string> = {}): Mischief => {
    return (path, response) => {
      if (path !== 'tile/entries/000') return false
      response.writeHead(status, headers).end('no')
      return true
    }
  }
  const faults: [string, Mischief, RegExp][] = [
    ['an endless body', endless, /more than the 8192 bytes/],
    [
      'a body announced as huge',
      (path, response) =>
        path === 'tile/0/001' && response.writeHead(200, { 'content-length': 1e12 }).write('x') !== null,
      /more than the 8192 bytes/,
    ],
    ['silence', path => path === 'tile/0/001', /no whole answer came within 0\.5 s/],
    [
      'a body that never ends',
      (path, response) => path === 'tile/0/001' && response.writeHead(200).write('x') !== null,
      /no whole answer came within/,
    ],
    [
      'a hang-up',
      (path, _, request) => path === 'tile/0/001' && request.socket.destroy() !== null,
      /cannot be read: /,
    ],
    ['503 for ever', answering(503), /the answer is 503/],
    ['503 with a long wait', answering(503, { 'retry-after': '86400' }), /the answer is 503/],
    ['403', answering(403), /the answer is 403\. It is not public: set DEEDBOX_API_KEY/],
    ['a redirect to another place', answering(302, { location: 'http://127.0.0.2:1/x' }), /sends elsewhere/],
    ['a redirect to no place', answering(302, { location: 'http://' }), /sends elsewhere/],
    [
      'a circle of redirects',
      answering(302, { location: '/ledgers/main/tile/entries/000' }),
      /from one address to the next/,
    ],
  ]
  for (const [what, mischief, message] of faults) {
    await assert.rejects(verdictWith(t, mischief), { name: 'LogUnreachable', message }, what)
  }
})

test('failures that pass are tried again; an API key goes to the log and nowhere else', async t => {
  let failures = 3
  const server = await serveLog(t, log, (path, response) => {
    if (path === 'tile/entries/moved') {
      response.writeHead(200).end(encodeEntryBundle(log.leaves.slice(0, 256)))
      return true
    }
    if (path !== 'tile/entries/000') return false
    if (failures-- > 0) response.writeHead([429, 503, 500][failures] ?? 503).end()
    else response.writeHead(307, { location: 'moved' }).end()
    return true
  })
  const fetching = new LogFetch(new URL(`${server.url}/`), { ...fast, apiKey: 'deed_live_x' })
  const report = await checkLog(fetching, { pinned: [log.key] })
  fetching.close()
  assert.equal(report.verdict, 'ok', JSON.stringify(report))
  assert(server.requests.every(({ headers }) => headers.authorization === 'Bearer deed_live_x'))
  const other = await serveLog(t, log)
  const sending = await serveLog(t, log, (_, response) => {
    response.writeHead(302, { location: `${other.url}/ledgers/main/checkpoint` }).end()
    return true
  })
  const redirected = new LogFetch(new URL(sending.url), { ...fast, apiKey: 'deed_live_x' })
  await assert.rejects(checkLog(redirected, { pinned: [log.key] }), /sends elsewhere/)
  redirected.close()
  assert.equal(other.requests.length, 0)
})

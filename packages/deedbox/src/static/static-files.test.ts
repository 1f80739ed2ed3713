import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { staticFiles } from './static-files.ts'
import type { StaticOptions } from './static-options.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

interface Site {
  readonly folder: string
  get(path: string, headers?: Readonly<Record<string, string>>, method?: string): Promise<Answer>
}

const script = 'console.log("the shop")\n'.repeat(20)

/** A folder as a bundler leaves it, served by `node:http`; its secrets lie beside it. */
async function aSite(t: TestContext, options: StaticOptions = {}): Promise<Site> {
  const outside = mkdtempSync(join(tmpdir(), 'static-'))
  t.after(() => rmSync(outside, { recursive: true }))
  const folder = join(outside, 'dist')
  const files: Record<string, string | Buffer> = {
    'index.html': '<h1>shop</h1>',
    'robots.txt': '0123456789',
    'docs/index.html': 'docs',
    'assets/index-BkX3v9Qd.js': script,
    'assets/index-BkX3v9Qd.js.br': brotliCompressSync(script),
    'assets/index-BkX3v9Qd.js.gz': gzipSync(script),
    'assets/inter-CG2zXn4e.woff2': 'font',
    'a b%2f.txt': 'odd',
    '.env': 'SECRET',
    '.git/config': 'SECRET',
    '.well-known/security.txt': 'contact',
    '../secret.txt': 'SECRET',
    '../dist-secret/secret.txt': 'SECRET',
  }
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  symlinkSync('../secret.txt', join(folder, 'link.txt'))
  symlinkSync('../dist-secret', join(folder, 'link'))
  symlinkSync('robots.txt', join(folder, 'inside.txt'))
  symlinkSync('..', join(folder, 'docs', 'circle'))
  symlinkSync('nowhere', join(folder, 'dangling'))
  const serve = staticFiles(folder, options)
  const server = createServer((incoming, response) => serve(incoming, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return {
    folder,
    async get(path, headers = {}, method = 'GET') {
      // As it is: `fetch` would tidy the path up.
      const sent = request({ host: '127.0.0.1', port, path, headers, method, agent: false }).end()
      const [response] = await once(sent, 'response')
      if (response.headers['content-encoding'] !== undefined) response.setEncoding('latin1')
      return { status: response.statusCode, headers: response.headers, body: await text(response) }
    },
  }
}

test('DF-56 sample 98: files with a hash in their name are kept for a year, all else is asked for again', async t => {
  const { get } = await aSite(t)
  const kept = await get('/assets/index-BkX3v9Qd.js?v=1')
  assert.deepEqual([kept.status, kept.body], [200, script])
  assert.equal(kept.headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.equal(kept.headers['content-type'], 'text/javascript; charset=utf-8')
  assert.equal(kept.headers['access-control-allow-origin'], '*')
  assert.equal(kept.headers['x-content-type-options'], 'nosniff')
  const page = await get('/')
  assert.deepEqual([page.status, page.body], [200, '<h1>shop</h1>'])
  assert.equal(page.headers['cache-control'], 'no-cache')
  assert.match(page.headers['content-type'] ?? '', /^text\/html/)
  assert.equal(page.headers['access-control-allow-origin'], undefined)
  assert.equal(page.headers.vary, undefined)
  assert.equal((await get('/assets/inter-CG2zXn4e.woff2')).headers['content-type'], 'font/woff2')
  const head = await get('/robots.txt', {}, 'HEAD')
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '10', ''])
  assert.equal((await get('/robots.txt', {}, 'POST')).status, 404)
  const folder = await get('/docs?a=1')
  assert.deepEqual([folder.status, folder.headers.location], [301, './docs/'])
  assert.equal((await get('/docs/')).body, 'docs')
  assert.equal((await get('/inside.txt')).body, '0123456789')
  assert.equal((await get('/a%20b%252f.txt')).body, 'odd')
  assert.equal((await get('/.well-known/security.txt')).body, 'contact')
})

test('DF-56 what lies compressed beside a file is sent to who takes it', async t => {
  const { get } = await aSite(t)
  const path = '/assets/index-BkX3v9Qd.js'
  const bytes = ({ body }: Answer): Buffer => Buffer.from(body, 'latin1')
  const brotli = await get(path, { 'accept-encoding': 'gzip, deflate, br, zstd' })
  assert.deepEqual([brotli.headers['content-encoding'], brotli.headers.vary], ['br', 'Accept-Encoding'])
  assert.equal(brotli.headers['content-type'], 'text/javascript; charset=utf-8')
  assert.equal(brotliDecompressSync(bytes(brotli)).toString(), script)
  const gzip = await get(path, { 'accept-encoding': 'gzip;q=1.0, br;q=0.5' })
  assert.equal(gzip.headers['content-encoding'], 'gzip')
  assert.equal(gunzipSync(bytes(gzip)).toString(), script)
  for (const header of [
    'identity',
    'br;q=0, gzip;q=0',
    'abra',
    '',
    'identity;q=1, br;q=0.1',
    'br;q=0.5, gzip;q=0.2, *',
  ]) {
    const plain = await get(path, { 'accept-encoding': header })
    const { vary, 'content-encoding': encoding } = plain.headers
    assert.deepEqual([encoding, vary, plain.body], [undefined, 'Accept-Encoding', script], header)
  }
  for (const header of ['br;q=0.1', 'identity, br', 'identity;q=0.5, br;q=0.6', '*'])
    assert.equal((await get(path, { 'accept-encoding': header })).headers['content-encoding'], 'br', header)
  assert.notEqual(brotli.headers.etag, gzip.headers.etag)
  const same = await get(path, { 'accept-encoding': 'br', 'if-none-match': brotli.headers.etag ?? '' })
  assert.deepEqual([same.status, same.headers.vary], [304, 'Accept-Encoding'])
  assert.equal((await get(`${path}.br`)).status, 404)
})

test('DF-56 If-None-Match answers 304 until the content changes, whatever its time', async t => {
  const { get, folder } = await aSite(t)
  const { etag = '' } = (await get('/')).headers
  assert.match(etag, /^"[\w-]{43}"$/)
  for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const same = await get('/', { 'if-none-match': header })
    assert.deepEqual([same.status, same.body, same.headers.etag], [304, '', etag], header)
    assert.equal(same.headers['cache-control'], 'no-cache')
  }
  const then = new Date(1_000_000)
  utimesSync(join(folder, 'index.html'), then, then)
  assert.equal((await get('/', { 'if-none-match': etag })).status, 304)
  writeFileSync(join(folder, 'index.html'), '<h1>SHOP</h1>')
  utimesSync(join(folder, 'index.html'), then, new Date(2_000_000))
  const changed = await get('/', { 'if-none-match': etag })
  assert.deepEqual([changed.status, changed.body], [200, '<h1>SHOP</h1>'])
})

test('DF-56 a date keeps no file that is asked for again, since images give all files one time', async t => {
  const { get } = await aSite(t)
  const later = new Date(Date.now() + 86_400_000).toUTCString()
  const page = await get('/robots.txt', { 'if-modified-since': later })
  assert.deepEqual([page.status, page.headers['last-modified'], page.body], [200, undefined, '0123456789'])
  const part = (condition: string): Promise<Answer> =>
    get('/robots.txt', { range: 'bytes=2-4', 'if-range': condition })
  assert.deepEqual([(await part(later)).status, (await part(later)).body], [200, '0123456789'])
  assert.equal((await part(page.headers.etag ?? '')).body, '234')
  const kept = await get('/assets/index-BkX3v9Qd.js', { 'if-modified-since': later })
  assert.equal(kept.status, 304)
})

test('DF-56 ranges, also those that are none', async t => {
  const { get } = await aSite(t)
  const ranges: [range: string, status: number, body: string][] = [
    ['bytes=2-4', 206, '234'],
    ['bytes=0-0', 206, '0'],
    ['bytes=-3', 206, '789'],
    ['bytes=7-', 206, '789'],
    ['bytes=8-99', 206, '89'],
    ['bytes=5-2', 416, 'Range Not Satisfiable'],
    ['bytes=99-', 416, 'Range Not Satisfiable'],
    ['lines=1-2', 200, '0123456789'],
  ]
  for (const [range, status, body] of ranges) {
    const answer = await get('/robots.txt', { range })
    assert.deepEqual([answer.status, answer.body], [status, body], range)
    if (status === 416) assert.equal(answer.headers['content-range'], 'bytes */10')
    if (status === 416) assert.equal(answer.headers['cache-control'], undefined)
  }
})

test('DF-56 nothing outside the folder and no hidden file is reached', async t => {
  const { get } = await aSite(t)
  const paths = [
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..\\secret.txt',
    '/..%5csecret.txt',
    '/%252e%252e%252fsecret.txt',
    '/../dist-secret/secret.txt',
    '//etc/passwd',
    '/%2fetc/passwd',
    '/robots.txt%00',
    '/robots.txt%00.html',
    '/%',
    '/%ff',
    '/%c0%ae%c0%ae/secret.txt',
    '/.env',
    '/%2eenv',
    '/docs%2findex.html',
    '/docs%2Findex.html',
    '/docs%5cindex.html',
    '/%64ocs/index.html',
    '/docs/index%2ehtml',
    '/.git/config',
    '/link.txt',
    '/link/secret.txt',
    '/docs/circle/docs/index.html',
    '/dangling',
    '/assets',
    '/assets/',
    '/robots.txt/',
    '/./robots.txt',
    '/constructor',
    '/__proto__',
  ]
  for (const path of paths) {
    const { status, body } = await get(path)
    assert.deepEqual([status, body], [404, 'Not Found'], path)
  }
  const absolute = await get('http://127.0.0.1/../secret.txt')
  assert.equal(absolute.status, 404)
})

test('DF-56 a file that is gone since the start is not found, and nothing else happens', async t => {
  const { get, folder } = await aSite(t)
  unlinkSync(join(folder, 'robots.txt'))
  const gone = await get('/robots.txt')
  assert.deepEqual([gone.status, gone.headers['cache-control'], gone.body], [404, undefined, 'Not Found'])
  assert.equal((await get('/')).status, 200)
})

test('DF-56 while a bundler empties the folder, requests go to what comes behind', async t => {
  const { get, folder } = await aSite(t, { reload: true })
  assert.equal((await get('/')).status, 200)
  rmSync(folder, { recursive: true })
  for (const method of ['GET', 'HEAD', 'POST']) assert.equal((await get('/', {}, method)).status, 404)
  mkdirSync(folder)
  writeFileSync(join(folder, 'index.html'), 'new')
  assert.equal((await get('/')).body, 'new')
})

test('DF-56 options: prefix, hashed, fallback, crossOrigin, reload', async t => {
  const options = {
    prefix: '/static',
    hashed: /^docs\//,
    fallback: 'index.html',
    crossOrigin: 'https://a.test',
  }
  const { get, folder } = await aSite(t, { ...options, reload: true })
  assert.equal((await get('/robots.txt')).status, 404)
  assert.equal((await get('/staticrobots.txt')).status, 404)
  const top = await get('/static?a=1')
  assert.deepEqual([top.status, top.headers.location], [301, './static/'])
  const plain = await get('/static/assets/index-BkX3v9Qd.js')
  assert.equal(plain.headers['cache-control'], 'no-cache')
  assert.equal(plain.headers['access-control-allow-origin'], 'https://a.test')
  assert.equal(plain.headers.vary, 'Accept-Encoding, Origin')
  const kept = (await get('/static/docs/')).headers['cache-control']
  assert.equal(kept, 'public, max-age=31536000, immutable')
  const page = await get('/static/orders/42', { accept: 'text/html,*/*' })
  assert.deepEqual(
    [page.status, page.body, page.headers['cache-control']],
    [200, '<h1>shop</h1>', 'no-cache'],
  )
  assert.equal((await get('/static/orders/42', { accept: 'application/json' })).status, 404)
  assert.equal((await get('/static/missing-BkX3v9Qd.js', { accept: 'text/html' })).status, 404)
  writeFileSync(join(folder, 'new.txt'), 'new')
  assert.equal((await get('/static/new.txt')).body, 'new')
})

test('DF-56 what cannot work is said at the start', async t => {
  const { folder } = await aSite(t)
  const wrong: [path: string, options: object, message: RegExp][] = [
    [join(folder, 'missing'), {}, /staticFiles\(\): there is no folder .*missing\. Build it before/],
    [join(folder, 'index.html'), {}, /there is no folder/],
    [folder, { prefix: 'static' }, /^prefix: /],
    [folder, { prefix: '/static/' }, /^prefix: /],
    [folder, { hashed: 'x' }, /^hashed: /],
    [folder, { fallback: 'app.html' }, /fallback: there is no file app\.html/],
    [folder, { crossOrigin: 'a.test' }, /^crossOrigin: /],
    [folder, { reload: 1 }, /^reload: /],
    [folder, { maxAge: 1 }, /maxAge: there is no such option\. There are: prefix, hashed/],
  ]
  for (const [path, options, message] of wrong)
    assert.throws(() => staticFiles(path, options), { code: 'invalid_configuration', message })
})

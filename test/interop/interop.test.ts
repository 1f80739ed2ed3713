import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openLedger } from '@deedbox/ledger'
import {
  encodeBase64,
  entriesPath,
  openCheckpoint,
  parseVerifierKey,
  proveConsistency,
  proveInclusion,
  tilePath,
  tileSubtreeReader,
  tilesForSize,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { type Run, startLedger, stopLedger, tempFolder } from '../end-to-end/ledger-process.ts'
import { flippingProxy } from './flipping-proxy.ts'
import { type Checker, interopChecker, type Served, strideOf, tesseraFsck } from './go-programs.ts'

const { sha256 } = nodeCrypto

/** `DEEDBOX_LONG=1` fills a tile of level 1 and begins level 2; else two full tiles of level 0 and a bit. */
const isLong = process.env.DEEDBOX_LONG === '1'
const events = 530
const rawEntries = isLong ? 70_000 : 600
const key = `deed_live_${'i'.repeat(43)}`

/** What the checker prints. Hashes in base64. */
interface Findings {
  origin: string
  size: number
  root: string
  entries: number
  tiles: number
  inclusion: { index: number; leaf: string; proof: string[] }[]
  consistency: { from: number; root: string; proof: string[] }[]
}

/** A running `deedbox serve` with a public log: an events ledger and a raw one, their newest checkpoints published. */
async function servedLedgers(t: TestContext): Promise<{ address: string; folder: string; served: Served[] }> {
  const folder = tempFolder(t)
  await fill(folder)
  const env = { DEEDBOX_PUBLIC_LOG: '1', DEEDBOX_BOOTSTRAP_KEY: key }
  const first = await startLedger(t, folder, env)
  await addOne(first.url, '/v1/events', {
    body: JSON.stringify({ payload: 'over HTTP', meta: { type: 'info', event_name: 'a.b', service: 's' } }),
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
  })
  const headers = { authorization: `Bearer ${key}r` }
  assert.equal(
    await addOne(first.url, '/ledgers/certs/add', { body: 'over HTTP', headers }),
    String(rawEntries),
  )
  // Stopping publishes the newest checkpoints, so that nothing has to be waited for.
  assert.equal(await stopLedger(first), 0)
  const { url: address } = await startLedger(t, folder, env)
  const served: Served[] = []
  // The first ledger also has the leaves of one ledger and two keys.
  for (const [name, size] of [
    ['main', events + 4],
    ['certs', rawEntries + 1],
  ] as const) {
    const url = `${address}/ledgers/${name}`
    const verifierKey = (await (await fetch(`${url}/vkey`)).text()).trim()
    const keyFile = join(folder, `${name}.vkey`)
    writeFileSync(keyFile, verifierKey)
    served.push({ url, verifierKey, keyFile, size })
  }
  return { address, folder, served }
}

async function fill(folder: string): Promise<void> {
  const ledger = await openLedger(join(folder, 'data', 'ledger.db'), {
    keysFolder: join(folder, 'data', 'keys'),
    guard: join(folder, 'guard'),
  })
  const batch = Array.from({ length: events }, (_, n) => ({
    payload: JSON.stringify({ n }),
    meta: { type: 'info' as const, event_name: 'interop.done', service: 'interop' },
  }))
  assert((await ledger.appendBatch(batch)).every(result => result.ok))
  await ledger.createLedger({ name: 'certs', kind: 'raw', origin: 'log.example.com/certs' })
  await ledger.createApiKey(`${key}r`, 'certs', ['write'], { ledger: 'certs' })
  const raw = await ledger.rawLedger('certs')
  // Of every length up to a kilobyte, the empty entry among them, and the longest there can be.
  const entries = Array.from({ length: rawEntries }, (_, n) => Buffer.alloc(n % 1024, n))
  entries[1] = Buffer.alloc(65_535, 1)
  await Promise.all(entries.map(entry => raw.add(entry)))
  await ledger.close()
}

async function addOne(url: string, path: string, init: RequestInit): Promise<string> {
  const answer = await fetch(`${url}${path}`, { method: 'POST', ...init })
  const text = await answer.text()
  assert(answer.ok, text)
  return text
}

async function findingsOf(checker: Checker, log: Served): Promise<Findings> {
  const run = await checker(log)
  assert.equal(run.code, 0, run.stderr)
  return JSON.parse(run.stdout) as Findings
}

test('P1 P12 what programs of other people say about a running ledger of events and a raw one', async t => {
  const { address, folder, served } = await servedLedgers(t)

  await t.test(
    'an independent program re-hashes every entry through tiles and derives our proofs',
    async t => {
      const checker = await interopChecker(t, folder)
      if (checker === undefined) return
      for (const ledger of served) await sameProofs(t, ledger, await findingsOf(checker, ledger))
    },
  )

  await t.test('it fails on one flipped bit of an entry, a tile of any level, or the checkpoint', async t => {
    const checker = await interopChecker(t, folder)
    if (checker === undefined) return
    for (const ledger of served) {
      for (const [resource, at, reason] of spots(ledger.size)) {
        const path = `${new URL(ledger.url).pathname}/${resource}`
        const run = await throughProxy(t, checker, address, ledger, path, at)
        assert.deepEqual([run.code, run.stdout], [1, ''], `${path} ${run.stderr}`)
        assert.match(run.stderr, reason, path)
      }
      const other = served.find(each => each !== ledger)
      const stranger = await checker({ ...ledger, verifierKey: other?.verifierKey ?? '' })
      assert.deepEqual([stranger.code, stranger.stdout], [1, ''])
    }
  })

  await t.test("Tessera's fsck passes, and fails on one flipped bit", async t => {
    const fsck = await tesseraFsck(t, folder)
    if (fsck === undefined) return
    for (const ledger of served) {
      const sound = await fsck(ledger)
      assert.equal(sound.code, 0, sound.stderr)
      assert.match(sound.stderr, new RegExp(`fsck'd log with size ${ledger.size} `))
      for (const [resource, at] of spots(ledger.size)) {
        const path = `${new URL(ledger.url).pathname}/${resource}`
        const run = await throughProxy(t, fsck, address, ledger, path, at)
        assert.notEqual(run.code, 0, `${path} ${run.stderr}`)
      }
    }
  })
})

/** Resources of a tree of this size, which byte of each is changed, and what the independent program says of it. */
function spots(size: number): [resource: string, at: number, reason: RegExp][] {
  const full = Math.floor(size / 256)
  const top = isLong && size > 65_536 ? tilePath(2, 0, 1) : tilePath(1, 0, full)
  return [
    [entriesPath(0), 2 + 40, /the checkpoint says|cut short|goes on/],
    [entriesPath(full, size % 256), 1, /the checkpoint says|cut short|goes on/],
    [tilePath(0, 1), 77, /the tiles over the entries/],
    [tilePath(0, full, size % 256), 5, /the tiles over the entries/],
    [top, 0, /the tiles over the entries/],
    ['checkpoint', 0, /the checkpoint:/],
    ['checkpoint', 80, /the checkpoint:/],
  ]
}

async function throughProxy(
  t: TestContext,
  checker: Checker,
  address: string,
  ledger: Served,
  path: string,
  at: number,
): Promise<Run> {
  const proxy = await flippingProxy(t, address, path, at)
  const run = await checker({ ...ledger, url: ledger.url.replace(address, proxy.url) })
  assert(proxy.flips() > 0, `${path} was not asked for`)
  return run
}

/** Compares what the independent program derived with what ours derives from the same tiles. */
async function sameProofs(t: TestContext, ledger: Served, found: Findings): Promise<void> {
  const note = await (await fetch(`${ledger.url}/checkpoint`)).text()
  const { origin, size, root } = openCheckpoint(nodeCrypto, note, [
    parseVerifierKey(sha256, ledger.verifierKey),
  ])
  assert.deepEqual([found.origin, found.size, found.root], [origin, size, encodeBase64(root)])
  assert.deepEqual([size, found.entries], [ledger.size, ledger.size])
  const tiles = new Map<string, Uint8Array>()
  for (const { level, n, width } of tilesForSize(size)) {
    const answer = await fetch(`${ledger.url}/${tilePath(level, n, width)}`)
    tiles.set(`${level}/${n}`, new Uint8Array(await answer.arrayBuffer()))
  }
  assert.equal(found.tiles, tiles.size, 'it read every tile of the tree')
  const read = tileSubtreeReader(sha256, (level, n) => tiles.get(`${level}/${n}`) ?? new Uint8Array(), size)
  const stride = strideOf(size)
  const wanted = Array.from({ length: size }, (_, n) => n).filter(n => n % stride === 0 || n === size - 1)
  assert.deepEqual(
    found.inclusion.map(({ index }) => index),
    wanted,
  )
  for (const { index, proof } of found.inclusion) {
    assert.deepEqual(proof, proveInclusion(sha256, index, size, read).map(encodeBase64), `index ${index}`)
  }
  assert(found.consistency.length > 8)
  for (const { from, proof } of found.consistency) {
    assert.deepEqual(proof, proveConsistency(sha256, from, size, read).map(encodeBase64), `from ${from}`)
  }
  t.diagnostic(
    `${origin}, ${size} entries: ${found.inclusion.length} inclusion and ${found.consistency.length} consistency proofs`,
  )
}

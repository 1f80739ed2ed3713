import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  checkInclusion,
  decodeEntryBundle,
  leafHash,
  openCheckpoint,
  parseVerifierKey,
  proveInclusion,
  tileSubtreeReader,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { openLedger, openRawLedger } from './open-ledger.ts'
import { adminSubmission, openInlineWriter, prepareFurtherLedger } from './sequencer/index.ts'
import { openTestRawLedger, rawFile, verdicts } from './testing/raw-ledgers.ts'
import { openTestLedger, tempFolder, testEvent } from './testing/temp-ledger.ts'

const { sha256 } = nodeCrypto

test('P5 P11 the bytes are the leaf: any of them, none, and 65,535; the index is the place in the tree', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const { verifierKeys, origin, size } = await ledger.createLedger({
    name: 'certs',
    kind: 'raw',
    origin: 'log.example.com/certs',
  })
  assert.deepEqual([origin, size], ['log.example.com/certs', 0])
  const raw = await ledger.rawLedger('certs')
  const entries = [
    Buffer.from('plain'),
    Buffer.alloc(0),
    Buffer.from([0, 255, 10, 13, 0]),
    Buffer.alloc(65_535, 7),
    Buffer.from('plain'),
  ]
  for (const [index, entry] of entries.entries()) assert.equal(await raw.add(entry), index)
  await assert.rejects(raw.add(Buffer.alloc(65_536)), { code: 'payload_too_large' })
  await assert.rejects(raw.add('text' as unknown as Uint8Array), { code: 'invalid_option' })
  const head = raw.head()
  assert.deepEqual(decodeEntryBundle(raw.entries(0, 5)).map(Buffer.from), entries)
  const key = parseVerifierKey(sha256, verifierKeys[0] ?? '')
  assert.equal(openCheckpoint(nodeCrypto, head.note, [key]).size, 5)
  const read = tileSubtreeReader(sha256, (level, n, width) => raw.tile(level, n, width), 5)
  for (const [index, entry] of entries.entries()) {
    const proof = proveInclusion(sha256, index, 5, read)
    checkInclusion(sha256, { index, size: 5, root: head.root, leafHash: leafHash(sha256, entry), proof })
  }
  assert.equal(
    ledger.head().size,
    1,
    'the first ledger has the leaf that records the other one, and no entry of it',
  )
})

test('P3 P21 what many add at once, from two openings, each has a place of its own', async t => {
  const { folder, keys } = await rawFile(t)
  const [a, b] = [await openTestRawLedger(t, folder), await openTestRawLedger(t, folder, { inline: true })]
  const adding = Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? a : b).add(Buffer.from(`more ${n}`)))
  const indices = await Promise.all(adding)
  assert.deepEqual(
    indices.toSorted((x, y) => x - y),
    Array.from({ length: 200 }, (_, n) => 300 + n),
  )
  for (const [n, index] of indices.entries()) {
    const bundle = decodeEntryBundle(b.entries(Math.floor(index / 256), (index % 256) + 1))
    assert.equal(Buffer.from(bundle.at(-1) ?? []).toString(), `more ${n}`)
  }
  await a.close()
  await b.close()
  assert.deepEqual((await verdicts(folder, keys)).verdicts, {
    main: 'ok',
    certs: 'ok',
    empty: 'nothing_checked',
  })
})

test('the bytes are taken when add is called: what the caller does to them afterwards changes nothing', async t => {
  const { folder } = await rawFile(t)
  const raw = await openTestRawLedger(t, folder)
  const bytes = Buffer.from('before')
  const adding = raw.add(bytes)
  bytes.fill('x')
  await adding
  assert.equal(Buffer.from(decodeEntryBundle(raw.entries(1, 45)).at(-1) ?? []).toString(), 'before')
  await raw.close()
  await assert.rejects(raw.add(bytes), { code: 'ledger_stopped' })
})

test('P22 each ledger of a file has a rollback guard of its own', async t => {
  const { folder } = await rawFile(t)
  assert.equal(
    readdirSync(join(folder, 'guard')).length,
    2,
    'of main and certs; the empty one was never opened',
  )
  cpSync(join(folder, 'ledger.db'), join(folder, 'old.db'))
  const raw = await openTestRawLedger(t, folder)
  await raw.add(Buffer.from('one more'))
  await raw.close()
  rmSync(join(folder, 'ledger.db'))
  renameSync(join(folder, 'old.db'), join(folder, 'ledger.db'))
  await assert.rejects(openTestRawLedger(t, folder), { code: 'rolled_back' })
  await openTestLedger(t, folder)
})

test('a ledger is of events or raw for life, and opened as what it is', async t => {
  const { folder } = await rawFile(t)
  const options = { keysFolder: join(folder, 'keys'), guard: join(folder, 'guard') }
  const file = join(folder, 'ledger.db')
  await assert.rejects(openLedger(file, { ...options, name: 'certs' }), { code: 'invalid_ledger' })
  await assert.rejects(openRawLedger(file, { ...options, name: 'main' }), { code: 'invalid_ledger' })
  await assert.rejects(openRawLedger(file, { ...options, name: 'none' }), { code: 'unknown_ledger' })
  const nowhere = join(folder, 'nowhere.db')
  await assert.rejects(openRawLedger(nowhere, { ...options, name: 'certs' }), { code: 'not_a_ledger' })
  assert(!existsSync(nowhere), 'a raw ledger is not made by opening it')
  const ledger = await openTestLedger(t, folder)
  await assert.rejects(ledger.rawLedger('main'), { code: 'invalid_ledger', message: /POST \/v1\/events/ })
  await assert.rejects(ledger.rawLedger('none'), { code: 'unknown_ledger' })
})

test('P28 what cannot be created is refused with a sentence, and leaves neither key nor leaf', async t => {
  const { folder, certs } = await rawFile(t)
  const ledger = await openTestLedger(t, folder)
  const before = [readdirSync(join(folder, 'keys')), ledger.head().size]
  const refused = [
    [{ name: 'more', kind: 'events' }, 'invalid_ledger', /one events ledger/],
    [{ name: 'Certs', kind: 'raw' }, 'invalid_ledger', /ledger name/],
    [{ name: '../x', kind: 'raw' }, 'invalid_ledger', /ledger name/],
    [{ name: 'x', kind: 'raw', origin: 'has space' }, 'invalid_ledger', /origin/],
    [{ name: 'certs', kind: 'raw' }, 'ledger_exists', /"certs"/],
    [{ name: 'main', kind: 'raw' }, 'ledger_exists', /"main"/],
    [{ name: 'x', kind: 'raw', origin: certs.origin }, 'ledger_exists', /origin/],
    [{ name: 'x', kind: 'raw', origin: ledger.about.origin }, 'ledger_exists', /origin/],
  ] as const
  for (const [request, code, message] of refused) {
    await assert.rejects(ledger.createLedger(request), { code, message }, JSON.stringify(request))
  }
  assert.deepEqual([readdirSync(join(folder, 'keys')), ledger.head().size], before)
})

test('P21 two callers who create the same ledger at once: one does, and the file is sound', async t => {
  const { folder, keys } = await rawFile(t)
  const [a, b] = [await openTestLedger(t, folder), await openTestLedger(t, folder)]
  const request = { name: 'twice', kind: 'raw' } as const
  const results = await Promise.allSettled([
    a.createLedger(request),
    a.createLedger(request),
    b.createLedger(request),
  ])
  const created = results.filter(result => result.status === 'fulfilled')
  const codes = results.flatMap(result => (result.status === 'rejected' ? [result.reason.code] : []))
  assert.equal(created.length, 1, JSON.stringify(codes))
  assert(
    codes.every(code => ['ledger_exists', 'overloaded', 'storage_failed'].includes(code)),
    String(codes),
  )
  const raw = await b.rawLedger('twice')
  assert.equal(await raw.add(Buffer.from('x')), 0)
  await Promise.all([a.close(), b.close()])
  assert.equal((await verdicts(folder, [...keys, raw.verifierKey])).verdicts.main, 'ok')
  assert.equal((await verdicts(folder, [...keys, raw.verifierKey])).verdicts.twice, 'ok')
})

test('P13 a crash around the creation: a key without a ledger serves the next attempt, a ledger without its mark opens', async t => {
  const { folder, keys, certs } = await rawFile(t)
  const key = (name: string, more = '') => join(folder, 'keys', `${name}.signing-key${more}`)
  // After the commit and before the rename.
  renameSync(key('certs'), key('certs', '.new'))
  const raw = await openTestRawLedger(t, folder)
  assert.equal(await raw.add(Buffer.from('x')), 300)
  await raw.close()
  assert(existsSync(key('certs')) && !existsSync(key('certs', '.new')))
  // Before the commit: the key is there, no ledger is.
  cpSync(key('empty'), join(folder, 'kept'))
  const other = tempFolder(t)
  const first = await openTestLedger(t, other)
  cpSync(join(folder, 'kept'), join(other, 'keys', 'late.signing-key.new'))
  await assert.rejects(first.createLedger({ name: 'late', kind: 'raw', origin: 'log.example/other' }), {
    code: 'invalid_ledger',
    message: /left behind/,
  })
  const late = await first.createLedger({ name: 'late', kind: 'raw' })
  assert.equal(late.verifierKeys[0], keys[2], 'the key that was left behind')
  // A key that has signed belongs to a ledger, wherever that is now.
  cpSync(join(folder, 'keys', 'certs.signing-key'), join(other, 'keys', 'gone.signing-key'))
  await assert.rejects(first.createLedger({ name: 'gone', kind: 'raw' }), { code: 'ledger_lost' })
  assert.deepEqual(
    first.ledgers().map(({ name }) => name),
    ['main', 'late'],
  )
  rmSync(key('certs'))
  await assert.rejects(openTestRawLedger(t, folder), { code: 'signing_key_missing' })
  assert.equal(certs.size, 0)
})

test('DEEDBOX_SIGNING_KEY is for the ledger whose origin it names, the others have theirs in the folder', async t => {
  const { folder, certs } = await rawFile(t)
  const file = (name: string) => join(folder, 'keys', `${name}.signing-key`)
  const signingKey = readFileSync(file('certs'), 'utf8').trim()
  rmSync(file('certs'))
  const ledger = await openTestLedger(t, folder, { signingKey })
  await ledger.append(testEvent(9))
  const raw = await ledger.rawLedger('certs')
  assert.equal(await raw.add(Buffer.from('x')), 300)
  assert.equal(raw.verifierKey, certs.verifierKeys[0])
  assert(!existsSync(file('certs')))
  await ledger.close()
  await assert.rejects(openTestRawLedger(t, folder), { code: 'signing_key_missing' })
})

test('a key of one ledger is refused on another, with the leaf in the first', async t => {
  const { folder, keys } = await rawFile(t)
  const ledger = await openTestLedger(t, folder)
  const secret = `deed_live_${'r'.repeat(43)}`
  await ledger.createApiKey(secret, 'ci', ['write', 'verify'], { ledger: 'certs' })
  const header = `Bearer ${secret}`
  const certsId = ledger.logOf('certs')?.about.ledgerId
  assert.doesNotThrow(() => ledger.authenticator.authenticate(header, 'write', certsId))
  assert.throws(() => ledger.authenticator.authenticate(header, 'write'), {
    code: 'insufficient_scope',
    message: /another ledger/,
  })
  await assert.rejects(ledger.createApiKey(secret, 'ci', ['write'], { ledger: 'none' }), {
    code: 'unknown_ledger',
  })
  await ledger.close()
  assert.equal((await verdicts(folder, keys)).verdicts.main, 'ok')
})

test('P3 several ledgers of a file, opened, written and closed at once in one thread, wait for each other', async t => {
  const { folder, keys } = await rawFile(t)
  const ledger = await openTestLedger(t, folder, { inline: true })
  const raws = await Promise.all([ledger.rawLedger('certs'), ledger.rawLedger('empty')])
  const work = Array.from({ length: 20 }, (_, n) => [
    ledger.append(testEvent(n)),
    ...raws.map(raw => raw.add(Buffer.from([n]))),
  ])
  await Promise.all(work.flat())
  await ledger.close()
  assert.deepEqual((await verdicts(folder, keys)).verdicts, { main: 'ok', certs: 'ok', empty: 'ok' })
})

test('P10 of creations at once of one name or origin one is made; the events beside them are stored', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const other = await openTestLedger(t, folder)
  const origin = 'log.example.com/builds'
  const outcomes = await Promise.allSettled(
    [ledger, other].flatMap((one, n) => [
      one.append(testEvent(1)),
      one.createLedger({ name: 'certs', kind: 'raw' }),
      one.append(testEvent(2)),
      one.createLedger({ name: `builds-${n}`, kind: 'raw', origin }),
    ]),
  )
  const made = (...which: number[]) => which.filter(n => outcomes[n]?.status === 'fulfilled').length
  assert.deepEqual([made(0, 2, 4, 6), made(1, 5), made(3, 7)], [4, 1, 1])
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'ledger_exists', outcome.reason)
  }
  assert.equal(ledger.failure ?? other.failure, undefined, 'a refusal is no failure of the ledger')
  assert.equal(ledger.head().size, 4 + 2)
  await Promise.all([ledger.close(), other.close()])
  assert.equal((await verdicts(folder, [ledger.verifierKey])).verdicts.main, 'ok')
})

test('P10 a ledger whose name was taken since it was prepared is refused, and what stands beside it is stored', async t => {
  const folder = tempFolder(t)
  const guard = join(folder, 'guard')
  const ledger = await openTestLedger(t, folder)
  const path = join(folder, 'ledger.db')
  const base = { path, keysFolder: join(folder, 'keys'), signingKey: undefined, guardFolder: guard }
  const writer = await openInlineWriter({ ...base, ledgerName: 'main', kind: 'events', origin: undefined })
  t.after(() => writer.close())
  const late = prepareFurtherLedger({ folder: base.keysFolder }, { name: 'certs' }, () => [])
  await ledger.createLedger({ name: 'certs', kind: 'raw' })
  const event = adminSubmission('test', {}, 'r')
  const results = await writer.append([
    event,
    { ...event, adminChange: { do: 'create_ledger', ledger: late } },
    event,
  ])
  assert.deepEqual(
    results.map(result => ('refused' in result ? result.refused : result.index)),
    [1, 'ledger_exists', 2],
  )
})

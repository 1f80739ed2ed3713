import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Verdict } from '@deedbox/tlog'
import { type ExportLine, type SmallLog, smallLog } from '../testing/small-log.ts'
import { checkExport, type ExportReport, isExport } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'deedbox-export-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const size = 300
const log = smallLog(size)
const note = log.checkpoint()
const lines = (): ExportLine[] => log.lines(0, size, note)

let files = 0
async function check(text: string, kept?: string, of: SmallLog = log): Promise<ExportReport> {
  const file = join(folder, `${files++}.jsonl`)
  writeFileSync(file, text)
  return await checkExport(file, { pinned: [of.key], ...(kept === undefined ? {} : { kept }) })
}

/** An export of all with one line changed. */
async function touched(
  index: number,
  change: (line: ExportLine) => ExportLine | string,
): Promise<ExportReport> {
  const all: (ExportLine | string)[] = lines()
  all[index] = change(all[index] as ExportLine)
  return await check(log.exportText(all, note))
}

test('an untouched export is ok, whole or in part, and ok_unpinned without a key', async () => {
  const text = log.exportText(lines(), note)
  const whole = await check(text)
  assert.deepEqual([whole.verdict, whole.checked, whole.complete], ['ok', size, true], JSON.stringify(whole))
  const part = await check(log.exportText(log.lines(100, 200, note), note, { from: 100, to: 200 }))
  assert.deepEqual([part.verdict, part.checked], ['ok', 100])
  const some = log.lines(0, size, note).filter(({ index }) => index % 7 === 0)
  const filtered = await check(log.exportText(some, note, { filters: { service: 'test' } }))
  assert.deepEqual([filtered.verdict, filtered.complete], ['ok', false])
  const file = join(folder, 'unpinned.jsonl')
  writeFileSync(file, text)
  assert.equal((await checkExport(file, { pinned: [] })).verdict, 'ok_unpinned')
  assert.equal(isExport(file), true)
  writeFileSync(file, 'c2sp.org/tlog-proof@v1\n')
  assert.equal(isExport(file), false)
})

test('P14 P5 whatever is changed in a line is found with its index', async () => {
  const attacks: [string, (line: ExportLine) => ExportLine | string][] = [
    ['payload', line => Object.assign(line, { payload: '{"n":6}' })],
    ['kind', line => Object.assign(line, { kind: 'admin' })],
    ['at', line => Object.assign(line, { at: '2026-01-01T00:00:00.000Z' })],
    ['tx_id', line => Object.assign(line, { tx_id: `${line.tx_id}0` })],
    ['core', line => Object.assign(line, { meta: { ...(line.meta as object), service: 'other' } })],
    ['context', line => Object.assign(line, { meta: { ...(line.meta as object), added: 1 } })],
    ['server', line => Object.assign(line, { server: { principal: 'writer_2', request_id: 'request-5' } })],
    ['a salt', line => ({ ...line, salts: { ...line.salts, payload: line.salts.core! } })],
    ['a salt gone', line => ({ ...line, salts: { core: line.salts.core! } })],
    ['a salt too many', line => ({ ...line, salts: { ...line.salts, other: line.salts.core! } })],
    ['a member', line => ({ ...line, more: 1 })],
    ['a member twice', line => JSON.stringify(line).replace('"payload":', '"payload":"evil","payload":')],
    ['white space', line => JSON.stringify(line).replace(',"meta"', ', "meta"')],
    ['no JSON', line => `${JSON.stringify(line).slice(0, -1)}`],
    ['the receipt of another', line => Object.assign(line, { receipt: lines()[6]!.receipt })],
    ['the index', line => Object.assign(line, { index: 6 })],
    ['no receipt', line => Object.assign(line, { receipt: '' })],
  ]
  for (const [what, change] of attacks) {
    const report = await touched(5, change)
    assert.equal(report.verdict, 'content_mismatch', what)
    assert([5, 6].includes(report.findings[0]?.index ?? -1), `${what}: ${JSON.stringify(report.findings)}`)
    assert(report.checked < size)
  }
})

test('P6 what is missing from an export is said', async () => {
  const verdictOf = async (text: string): Promise<[Verdict, number | undefined]> => {
    const { verdict, findings } = await check(text)
    return [verdict, findings.find(finding => finding.verdict === verdict)?.index]
  }
  const all = lines()
  const without = all.toSpliced(7, 1)
  assert.deepEqual(await verdictOf(log.exportText(without, note)), ['missing_index', 7])
  assert.deepEqual(await verdictOf(log.exportText(all.slice(0, -1), note)), ['missing_index', size - 1])
  assert.deepEqual(await verdictOf(log.exportText(without, note, { count: size })), ['truncated', undefined])
  const text = log.exportText(all, note)
  assert.deepEqual(await verdictOf(text.slice(0, text.lastIndexOf('{"manifest"'))), ['truncated', undefined])
  assert.deepEqual(await verdictOf(text.slice(0, -10)), ['truncated', undefined])
  assert.deepEqual(await verdictOf(''), ['truncated', undefined])
  assert.deepEqual(await verdictOf(log.exportText([], note, { to: 0 })), ['nothing_checked', undefined])
  const swapped = all.with(3, all[4]!).with(4, all[3]!)
  assert.equal((await verdictOf(log.exportText(swapped, note)))[0], 'content_mismatch')
})

test('a last line that lies is found', async () => {
  const all = lines()
  for (const [more, verdict] of [
    [{ sha256: '0'.repeat(64) }, 'content_mismatch'],
    [{ count: size - 1 }, 'content_mismatch'],
    [{ tree_size: size + 1 }, 'content_mismatch'],
    [{ ledger: 'other.example' }, 'content_mismatch'],
    [{ from: 5 }, 'content_mismatch'],
    [{ format: 'deedbox-export/v2' }, 'unknown_version'],
    [{ checkpoint: note.replace(/\n300\n/, '\n301\n') }, 'bad_signature'],
    [{ filters: null }, 'truncated'],
  ] as [Record<string, unknown>, Verdict][]) {
    const report = await check(log.exportText(all, note, more))
    assert.equal(report.verdict, verdict, JSON.stringify(more))
  }
  const beyond = await check(log.exportText(all, note, { to: size + 1 }))
  assert(beyond.findings.some(({ verdict }) => verdict === 'not_covered'))
  const other = smallLog(3)
  assert.equal((await check(log.exportText(all, note), undefined, other)).verdict, 'bad_signature')
  // Lines of another checkpoint of the same ledger, which is as good a proof, but not this export.
  log.append('one more')
  const later = log.checkpoint()
  const report = await check(log.exportText(lines(), later, { tree_size: size + 1, to: size }))
  assert.deepEqual([report.verdict, report.checked], ['content_mismatch', 0])
})

test('P6 erased parts are redacted_ok when a later erasure in the export names them, else content_missing', async () => {
  const small = smallLog(5)
  small.append(JSON.stringify({ erased: [{ index: 2, parts: ['payload', 'context'] }] }), 'erasure')
  const checkpoint = small.checkpoint()
  const all = small.lines(0, 6, checkpoint)
  const { payload, context, ...salts } = all[2]!.salts
  all[2] = { ...all[2]!, payload: null, salts }
  const report = await check(small.exportText(all, checkpoint), undefined, small)
  assert.deepEqual([report.verdict, report.redacted, report.checked], ['redacted_ok', 1, 5])
  const shorter = small.exportText(all.slice(0, 5), checkpoint, { to: 5 })
  const unknown = await check(shorter, undefined, small)
  assert.deepEqual([unknown.verdict, unknown.findings[0]?.index], ['content_missing', 2])
  assert.match(unknown.findings[0]?.detail ?? '', /no erasure in this export names it/)
})

test('P4 F10 an export is compared with a checkpoint that was kept, as far as that can be done', async () => {
  const small = smallLog(10)
  const at10 = small.checkpoint()
  for (let n = 10; n < 20; n++) small.append(String(n))
  const at20 = small.checkpoint()
  const text = small.exportText(small.lines(0, 20, at20), at20)
  for (const kept of [at10, at20]) assert.equal((await check(text, kept, small)).verdict, 'ok')
  const other = small.sign(
    at10
      .split('\n')
      .slice(0, 3)
      .join('\n')
      .replace(/\S{43}=$/, `${'A'.repeat(43)}=`)
      .concat('\n'),
  )
  assert.equal((await check(text, other, small)).verdict, 'fork')
  const last = small.exportText(small.lines(15, 20, at20), at20, { from: 15 })
  assert.equal((await check(last, at10, small)).verdict, 'not_covered')
  small.append('later')
  assert.equal((await check(text, small.checkpoint(), small)).verdict, 'truncated')
  assert.equal((await check(text, smallLog(4).checkpoint(), small)).verdict, 'bad_signature')
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sqlite } from 'deedbox/chests'
import { cannotMount, fill, onSmallDisk, smallDisk } from '../drills/small-disk.ts'
import { eventually } from './entries.ts'
import { aService } from './service-suite.ts'
import { rowsOf } from './sqlite-rows.ts'

const disk = smallDisk()

if (disk === undefined) {
  test('FC-22 FC-24 a chest on a full disk, of 12 MB of its own', { skip: cannotMount() }, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'deedbox-chests-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const inner = await onSmallDisk(import.meta.filename, folder)
    assert.match(inner.stdout, /pass 1\b/)
  })
} else {
  test('FC-22 FC-24 while the disk is full entries wait, and each is stored once when it no longer is', async t => {
    const file = join(disk, 'vars.db')
    const { box, lines } = aService(t, sqlite(file))
    const text = 'x'.repeat(10_000)
    let made = 0
    const work = (): void => box.run({ name: 'job' }, () => box.set({ n: made++, text }))
    for (let n = 0; n < 20; n++) work()
    await eventually(async () => (await box.flush()) && box.stats().chests[0]?.delivered === made)
    fill(disk)
    for (let n = 0; n < 50; n++) work()
    await eventually(() => lines.some(line => JSON.parse(line).notice === 'chest_delayed'))
    assert.match(lines.join(''), /disk is full|disk I\/O error/)
    rmSync(join(disk, 'filler'))
    for (let n = 0; n < 20; n++) work()
    await eventually(async () => (await box.flush()) && box.stats().chests[0]?.delivered === made)
    const stored = rowsOf(new DatabaseSync(file), 'flask_chest').filter(({ name }) => name === 'n')
    assert.deepEqual(
      stored.map(({ value }) => value),
      Array.from({ length: made }, (_, n) => n),
    )
  })
}

import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cannotMount, fill, onSmallDisk, smallDisk } from '../drills/small-disk.ts'
import { tempFolder } from '../end-to-end/ledger-process.ts'
import { aRecord, entriesOf, eventually } from './entries.ts'
import { failureOf } from './failing-write.ts'
import { forEachKind } from './line-kinds.ts'
import { aService } from './service-suite.ts'

const disk = smallDisk()

if (disk === undefined) {
  test('FC-24 files on a full disk, of 12 MB of its own', { skip: cannotMount() }, async t => {
    const inner = await onSmallDisk(import.meta.filename, tempFolder(t))
    assert.match(inner.stdout, /pass 4\b/)
  })
} else {
  forEachKind('FC-24 FC-28 what a full disk cut off is taken back', async (t, kind) => {
    t.after(() => rmSync(join(disk, 'filler'), { force: true }))
    const file = join(disk, `${kind.name}-cut`)
    const chest = kind.open(file)
    await chest.write(entriesOf(aRecord(), [['n', 'before']]))
    const before = readFileSync(file)
    writeFileSync(join(disk, 'some'), Buffer.alloc(64 * 1_024))
    fill(disk)
    // Room for a part of it.
    rmSync(join(disk, 'some'))
    const entries = entriesOf(aRecord(), [
      ['n', 'first'],
      ['n', 'x'.repeat(300_000)],
    ])
    const { code, message, taken } = await failureOf(chest, entries)
    assert.deepEqual([code, taken.size], ['unavailable', 0])
    assert.match(message, /the disk is full/)
    assert.deepEqual(readFileSync(file), before)
    rmSync(join(disk, 'filler'))
    await chest.write(entries)
    assert.deepEqual(
      kind.read(readFileSync(file, 'utf8')).map(({ value }) => String(value).slice(0, 6)),
      ['before', 'first', 'xxxxxx'],
    )
  })

  forEachKind(
    'FC-24 while the disk is full entries wait, and each is there once when it no longer is',
    async (t, kind) => {
      t.after(() => rmSync(join(disk, 'filler'), { force: true }))
      const file = join(disk, kind.name)
      const chest = kind.open(file)
      const { box, lines } = aService(t, chest)
      const long = 'x'.repeat(10_000)
      let made = 0
      const work = (count: number): void => {
        for (let n = 0; n < count; n++) box.run({ name: 'job' }, () => box.set({ n: made++, long }))
      }
      const isDelivered = async () => (await box.flush()) && box.stats().chests[0]?.delivered === made
      work(20)
      await eventually(isDelivered)
      fill(disk)
      work(50)
      await eventually(() => lines.some(line => JSON.parse(line).notice === 'chest_delayed'))
      const [found] = await chest.check()
      assert.match(String(found?.message), /the disk is full/)
      rmSync(join(disk, 'filler'))
      work(20)
      await eventually(isDelivered)
      assert.deepEqual(
        kind
          .read(readFileSync(file, 'utf8'))
          .filter(({ name }) => name === 'n')
          .map(({ value }) => value),
        Array.from({ length: made }, (_, n) => n),
      )
    },
  )
}

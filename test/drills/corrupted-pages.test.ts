import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import {
  deedbox,
  ledgerEnv,
  printedKey,
  startLedger,
  stopLedger,
  tempFolder,
} from '../end-to-end/ledger-process.ts'
import { drillKey, Load, Refused } from './load.ts'
import { drillProgress, reportDrill, roundsOf } from './report.ts'

const pageSize = 8192
const rounds = roundsOf(4, 150)
/** Of the run: printed with it, so that `DEEDBOX_DRILL_SEED` can repeat it. */
const seed = process.env.DEEDBOX_DRILL_SEED ?? 'deedbox'
const env = { DEEDBOX_BOOTSTRAP_KEY: drillKey }

test(`P1 P6 F14 bytes flipped in random pages, ${rounds} times: a start that says why it refuses, or a verdict that names the damage`, async t => {
  t.diagnostic(`DEEDBOX_DRILL_SEED=${seed}`)
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, env)
  const load = new Load([ledger.url], 'p')
  const stop = load.start(4)
  await load.acknowledge(300)
  await stop()
  await stopLedger(ledger)
  const file = join(folder, 'data', 'ledger.db')
  const whole = readFileSync(file)
  const content = contentOf(file)
  const verdicts: Record<string, number> = {}
  let refused = 0
  for (let round = 0; round < rounds; round++) {
    const damaged = Buffer.from(whole)
    const where = flip(damaged, round)
    writeFileSync(file, damaged)
    const { verdict, notAttested } = await verdictOf(folder, printedKey(ledger), where)
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1
    // A byte that nothing uses may be flipped; a verdict of ok is a lie only if content changed.
    if (verdict === 'ok') assert.deepEqual(contentOf(file, notAttested), without(content, notAttested), where)
    if (await refusesOrLives(t, folder, where)) refused++
    for (const name of ['ledger.db', 'ledger.db-wal', 'ledger.db-shm'])
      rmSync(join(folder, 'data', name), { force: true })
    // What the damaged ledger signed is no part of the next round's history.
    rmSync(join(folder, 'guard'), { recursive: true, force: true })
    drillProgress('corrupted pages', round + 1, rounds)
  }
  t.diagnostic(JSON.stringify({ verdicts, refused }))
  reportDrill({
    drill: 'bytes flipped in random pages',
    rounds,
    acknowledged: load.acknowledged.size,
    stored: load.acknowledged.size,
    refused,
    verdicts,
  })
  assert(
    Object.keys(verdicts).some(verdict => verdict !== 'ok'),
    'no round damaged anything',
  )
})

/** Flips one to four bytes of one page, in an order that the seed fixes. */
function flip(file: Buffer, round: number): string {
  const random = createHash('sha256').update(`${seed} ${round}`).digest()
  const page = random.readUInt32LE(0) % (file.length / pageSize)
  const offsets = Array.from(
    { length: 1 + (random[4]! % 4) },
    (_, i) => random.readUInt16LE(8 + 2 * i) % pageSize,
  )
  for (const offset of offsets) file[page * pageSize + offset]! ^= 1 + (random[5]! % 255)
  return `seed ${seed}, round ${round}: page ${page}, bytes ${offsets.join(', ')}`
}

async function verdictOf(
  folder: string,
  key: string,
  where: string,
): Promise<{ verdict: string; notAttested: string[] }> {
  const copy = join(folder, 'copy')
  cpSync(join(folder, 'data', 'ledger.db'), join(copy, 'ledger.db'))
  const checked = await deedbox(['verify', '--data', copy, '--key', key, '--json'], {
    env: ledgerEnv(folder),
  })
  rmSync(copy, { recursive: true })
  if (checked.stdout === '') {
    assert.equal(checked.code, 1, where)
    assert.match(checked.stderr, /^deedbox: [^\n]+\n$/, where)
    return { verdict: 'unreadable', notAttested: [] }
  }
  return JSON.parse(checked.stdout)
}

/** @returns whether the start was refused; a ledger that starts answers or refuses writes in order, and lives */
async function refusesOrLives(t: TestContext, folder: string, where: string): Promise<boolean> {
  let ledger: Awaited<ReturnType<typeof startLedger>>
  try {
    ledger = await startLedger(t, folder, env)
  } catch (error) {
    assert.match(String(error), /deedbox serve ended: deedbox: [^\n]+\n$/, where)
    return true
  }
  const load = new Load([ledger.url], 'q')
  const stop = load.start(1)
  await Promise.race([load.acknowledge(1), load.refuse(1)]).catch((error: unknown) => {
    if (!(error instanceof Refused)) throw error
  })
  await stop()
  assert.equal(await stopLedger(ledger), 0, where + ledger.stderr())
  return false
}

/** Every row of every table as text, by table; columns that nothing attests are left out. */
function contentOf(path: string, notAttested: readonly string[] = []): Record<string, string[]> {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all()
    const tables = Object.fromEntries(
      names.map(({ name }) => [
        String(name),
        db
          .prepare(`SELECT * FROM ${name}`)
          .all()
          .map(row =>
            JSON.stringify(row, (_, value) =>
              value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
            ),
          )
          .sort(),
      ]),
    )
    return without(tables, notAttested)
  } finally {
    db.close()
  }
}

function without(tables: Record<string, string[]>, columns: readonly string[]): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(tables).map(([table, rows]) => [
      table,
      rows.map(row =>
        JSON.stringify(
          Object.fromEntries(
            Object.entries(JSON.parse(row) as object).filter(
              ([column]) => !columns.includes(`${table}.${column}`),
            ),
          ),
        ),
      ),
    ]),
  )
}

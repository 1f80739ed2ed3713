import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { recoverAfterRestore, restoreBackup, soundLedgers, writeBackup } from '../backup/index.ts'
import { openLedger } from '../open-ledger.ts'
import { closeForGood, readMoveMark, useLog, writeMoveMark } from '../store/index.ts'
import { backupOf, places, recoverIn } from '../testing/restored-ledger.ts'
import { smallLedger } from '../testing/tampered-ledger.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'
import {
  finishInstall,
  installedMove,
  installMove,
  type MovePlaces,
  stagingFolder,
  tokenHash,
} from './install.ts'
import { movedLedger } from './wire.ts'

const moveId = '00000000-0000-4000-8000-000000000000'

function placesOf(folder: string): MovePlaces {
  const at = (name: string) => join(folder, name)
  return { folder, database: at('ledger.db'), keysFolder: at('keys'), guardFolder: at('guard') }
}

/** A data folder in which a ledger has arrived and was checked, and what is to be decided about it. */
async function arrived(t: TestContext) {
  const { folder, keys } = await smallLedger(t)
  closeForGood(join(folder, 'ledger.db'))
  const places = placesOf(tempFolder(t))
  const staging = stagingFolder(places)
  mkdirSync(staging)
  cpSync(join(folder, 'ledger.db'), join(staging, 'ledger.db'))
  cpSync(join(folder, 'keys'), join(staging, 'keys'), { recursive: true })
  const sound = soundLedgers(
    join(staging, 'ledger.db'),
    () => ({}),
    () => undefined,
  )
  const ledgers = sound.map(each => ({ ...movedLedger(each), note: each.head.note }))
  return {
    places,
    keys,
    decided: { moveId, token: tokenHash('token'), server: 'a-server', ledgers },
    source: folder,
  }
}

test('an installation that was cut off at any step is finished by the next start, and before its decision it never was', async t => {
  const { places, keys, decided } = await arrived(t)
  const { folder } = places
  const before = join(tempFolder(t), 'before')
  cpSync(folder, before, { recursive: true })
  assert.equal(finishInstall(places), false)
  installMove(places, decided)
  const after = join(tempFolder(t), 'after')
  cpSync(folder, after, { recursive: true })

  const decision = join(stagingFolder(places), 'install.json')
  const fresh = (from: string) => {
    rmSync(folder, { recursive: true })
    cpSync(from, folder, { recursive: true })
  }
  const decide = () => writeFileSync(decision, JSON.stringify({ v: 1, ...decided }))
  const key = 'main.signing-key'
  const steps: Record<string, () => void> = {
    decided: () => decide(),
    'made writable': () => {
      decide()
      useLog(join(stagingFolder(places), 'ledger.db'))
    },
    'keys in place': () => {
      decide()
      mkdirSync(places.keysFolder)
      renameSync(join(stagingFolder(places), 'keys', key), join(places.keysFolder, key))
    },
    linked: () => {
      decide()
      mkdirSync(places.keysFolder)
      renameSync(join(stagingFolder(places), 'keys', key), join(places.keysFolder, key))
      useLog(join(stagingFolder(places), 'ledger.db'))
      linkSync(join(stagingFolder(places), 'ledger.db'), places.database)
    },
    'all but the clean-up': () => {
      fresh(after)
      mkdirSync(stagingFolder(places))
      decide()
    },
  }
  for (const [step, cutOff] of Object.entries(steps)) {
    fresh(before)
    cutOff()
    assert.equal(finishInstall(places), true, step)
    assert.equal(finishInstall(places), false, step)
    assert.deepEqual(readdirSync(folder).sort(), ['arrived.json', 'guard', 'keys', 'ledger.db'], step)
    assert.equal(checkLog(folder, keys).verdict, 'ok', step)
    const ledger = await openTestLedger(t, folder)
    assert.deepEqual(ledger.about.warnings, [], step)
    assert.equal((await ledger.append(testEvent(8))).index, 7, step)
    await ledger.close()
  }
  const { status, opensTo } = installedMove(places) ?? assert.fail()
  assert.equal(status.state, 'installed')
  assert.deepEqual([opensTo('token'), opensTo('another')], [true, false])
})

test('nothing is installed over a ledger or a key, before the decision and after it, and nothing of theirs is touched', async t => {
  const { places, decided } = await arrived(t)
  const { folder, database, keysFolder } = places
  const theirKey = join(keysFolder, 'main.signing-key')
  const theirs = () => [readFileSync(database, 'utf8'), readFileSync(theirKey, 'utf8')]
  mkdirSync(keysFolder)
  writeFileSync(theirKey, 'their key')
  assert.throws(() => installMove(places, decided), { code: 'ledger_exists' })
  writeFileSync(database, 'theirs')
  assert.throws(() => installMove(places, decided), { code: 'ledger_exists' })
  writeFileSync(join(stagingFolder(places), 'install.json'), JSON.stringify({ v: 1, ...decided }))
  for (const put of [() => undefined, () => rmSync(theirKey), () => rmSync(database)]) {
    writeFileSync(database, 'theirs')
    writeFileSync(theirKey, 'their key')
    put()
    const before = readdirSync(folder, { recursive: true }).sort()
    assert.throws(() => finishInstall(places), { code: 'ledger_exists' })
    assert.deepEqual(readdirSync(folder, { recursive: true }).sort(), before)
    assert.equal(installedMove(places), undefined)
  }
  writeFileSync(database, 'theirs')
  assert.deepEqual(theirs(), ['theirs', 'their key'])
  // Where theirs has left, it goes on.
  rmSync(database)
  rmSync(theirKey)
  assert.equal(finishInstall(places), true)
  assert.equal(installedMove(places)?.status.state, 'installed')
})

test('while an installation has something left to do, it is not said to be installed', async t => {
  const { places, decided } = await arrived(t)
  writeFileSync(join(stagingFolder(places), 'install.json'), JSON.stringify({ v: 1, ...decided }))
  writeFileSync(places.database, 'theirs')
  writeFileSync(join(places.folder, 'arrived.json'), JSON.stringify({ v: 1, ...decided }))
  assert.equal(installedMove(places), undefined)
})

const otherDisk = '/dev/shm'
const hasOther = existsSync(otherDisk) && statSync(otherDisk).dev !== statSync(tmpdir()).dev
const skip = hasOther ? false : 'there is no second file system here'

test('a keys folder on another file system gets the keys; a database on another is refused before the decision', {
  skip,
}, async t => {
  const { places, decided, keys } = await arrived(t)
  const elsewhere = mkdtempSync(join(otherDisk, 'deedbox-test-'))
  t.after(() => rmSync(elsewhere, { recursive: true }))
  const staging = stagingFolder(places)
  renameSync(staging, `${staging}.here`)
  mkdirSync(join(elsewhere, 'keys'))
  cpSync(`${staging}.here`, join(elsewhere, 'arriving'), { recursive: true })
  symlinkSync(join(elsewhere, 'arriving'), staging)
  assert.throws(() => installMove(places, decided), { code: 'storage_failed', message: /cannot install/ })
  assert(!existsSync(join(staging, 'install.json')))
  rmSync(staging)
  renameSync(`${staging}.here`, staging)
  symlinkSync(join(elsewhere, 'keys'), places.keysFolder)
  installMove(places, decided)
  assert.deepEqual(readdirSync(places.keysFolder), ['main.signing-key'])
  assert.equal(statSync(join(places.keysFolder, 'main.signing-key')).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(places.folder).sort(), ['arrived.json', 'guard', 'keys', 'ledger.db'])
  assert.equal(checkLog(places.folder, keys).verdict, 'ok')
  const ledger = await openTestLedger(t, places.folder)
  assert.equal((await ledger.append(testEvent(8))).index, 7)
  await ledger.close()
})

test('a moved ledger is opened by nobody, also where its file is gone, and a backup of it is as closed as it is', async t => {
  const { source } = await arrived(t)
  const database = join(source, 'ledger.db')
  const options = { keysFolder: join(source, 'keys'), guard: join(source, 'guard'), inline: true }
  await assert.rejects(openLedger(database, options), {
    message: /This ledger is closed: [\s\S]*"deedbox move"/,
  })
  const backup = join(tempFolder(t), 'backup')
  await writeBackup(backupOf(source, backup, { withKeys: true }))
  await assert.rejects(
    openLedger(join(backup, 'ledger.db'), { ...options, keysFolder: join(backup, 'keys') }),
    {
      message: /This ledger is closed/,
    },
  )
  assert.equal(checkLog(source).verdict, 'ok')
  const url = 'https://ledger.example'
  writeMoveMark(database, { v: 1, state: 'moved', url, moveId, at: new Date().toISOString(), ledgers: [] })
  await assert.rejects(openLedger(database, options), {
    code: 'ledger_moved',
    message: /was moved to https:/,
  })
  const spared = join(tempFolder(t), 'spared')
  cpSync(source, spared, { recursive: true })
  rmSync(database)
  await assert.rejects(openLedger(database, options), { code: 'ledger_moved' })
  await assert.rejects(restoreBackup({ backup, ...places(source) }), { code: 'ledger_moved' })
  assert(!existsSync(database))
  writeFileSync(`${database}.moved`, '{')
  assert.throws(() => readMoveMark(database), { code: 'ledger_moved', message: /cannot be read any more/ })

  // Where the server was lost for good, what is left of its ledger is an old copy: a new one says so.
  rmSync(join(spared, 'guard'), { recursive: true })
  const { closed, opened } = await recoverAfterRestore({ ...recoverIn(spared), withoutGuard: true })
  const successor = await openTestLedger(t, spared)
  assert.equal(successor.verifierKey, opened.verifierKey)
  assert.equal(readMoveMark(join(spared, closed.file))?.url, url)
})

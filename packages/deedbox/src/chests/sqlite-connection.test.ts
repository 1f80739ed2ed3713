import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ConfigurationError } from '../safety/index.ts'
import { sqlite } from './sqlite.ts'
import { kindOf } from './sqlite-connection.ts'

test('FC-22 a file of SQLite is named by a path or by a URL', () => {
  const places: [Parameters<typeof sqlite>[0], string][] = [
    [undefined, resolve('db.sqlite3')],
    ['vars.db', resolve('vars.db')],
    ['./a b/vars%20.db', resolve('./a b/vars%20.db')],
    ['sqlite:vars.db', resolve('vars.db')],
    ['sqlite:../vars.db', resolve('../vars.db')],
    ['sqlite:/data/a%20b%25.db', resolve('/data/a b%.db')],
    [pathToFileURL('/data/a b.db'), resolve('/data/a b.db')],
    [pathToFileURL('/data/a b.db').href, resolve('/data/a b.db')],
    [':memory:', 'memory'],
    ['sqlite::memory:', 'memory'],
    [new DatabaseSync(':memory:'), 'memory'],
  ]
  for (const [given, address] of places) assert.equal(sqlite(given).address, address)
  assert.equal(sqlite().id, 'SQLite(name=flask_chest)')
})

test('FC-22 FC-23 what cannot be a file, a table or an option is told when the chest is made', () => {
  for (const file of [
    '',
    'sqlite:',
    'sqlite://vars.db',
    'sqlite:///vars.db',
    'sqlite:a%.db',
    'a\0b',
    'file:vars.db',
  ])
    assert.throws(() => sqlite(file), ConfigurationError, file)
  for (const file of [null, 7, {}, []]) assert.throws(() => sqlite(file as never), ConfigurationError)
  for (const name of ['x; drop table y', '', 'a-b', 'a"b'])
    assert.throws(() => sqlite('vars.db', { name }), /^ConfigurationError: sqlite\(\): name: /)
  for (const retentionDays of [0, -1, 1.5, Number.NaN])
    assert.throws(() => sqlite('vars.db', { retentionDays }), /sqlite\(\): retentionDays/)
  assert.throws(() => sqlite('vars.db', { retention: 7 } as never), /there is no such option/)
})

test('errors of node:sqlite and of better-sqlite3 mean the same', () => {
  const errors: [object, ReturnType<typeof kindOf>][] = [
    [{ code: 'ERR_SQLITE_ERROR', errcode: 5 }, 'busy'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 5 + 256 * 2 }, 'busy'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 6 }, 'busy'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 13 }, 'other'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 18 }, 'refused'],
    [{ code: 'ERR_SQLITE_ERROR', errcode: 19 + 256 * 5 }, 'refused'],
    [{ code: 'SQLITE_BUSY_SNAPSHOT' }, 'busy'],
    [{ code: 'SQLITE_CONSTRAINT_TRIGGER' }, 'refused'],
    [{ code: 'SQLITE_FULL' }, 'other'],
    [{}, 'other'],
  ]
  for (const [members, kind] of errors)
    assert.equal(kindOf(Object.assign(new Error('it failed'), members)), kind, JSON.stringify(members))
  assert.equal(kindOf('text'), 'other')
})

test('FC-18 a Node without SQLite is told what to hand over instead', async t => {
  t.mock.method(process, 'getBuiltinModule', () => undefined)
  const chest = sqlite('vars.db')
  assert.match((await chest.check())[0]?.message ?? '', /SQLite\(name=flask_chest\).*better-sqlite3/)
  await assert.rejects(chest.count(), { name: 'ChestError', code: 'driver_missing' })
  assert.equal(existsSync('vars.db'), false)
})

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sqlite } from 'deedbox/chests'
import { tempFolder } from '../end-to-end/ledger-process.ts'

test('FC-22 who only looks into a file of Flask-Chest reads its rows and changes nothing in it', async t => {
  const folder = tempFolder(t)
  const file = join(folder, 'old.db')
  const database = new DatabaseSync(file)
  database.exec(`CREATE TABLE flask_chest (
  unique_id INTEGER PRIMARY KEY AUTOINCREMENT, request_id TEXT, name TEXT, value TEXT
);
INSERT INTO flask_chest (request_id, name, value) VALUES ('r-1', 'user', 'u'), ('r-2', 'user', 'v'), (NULL, 'x', NULL)`)
  database.close()
  const digest = (): string => createHash('sha256').update(readFileSync(file)).digest('hex')
  const before = digest()
  const chest = sqlite(file)
  t.after(() => chest.close())
  const seen = (await chest.find({ name: 'user' }, 10)).map(({ entry }) => [...entry])
  assert.deepEqual(seen, [
    ['user', 'u', 'r-1'],
    ['user', 'v', 'r-2'],
  ])
  assert.deepEqual(
    (await chest.find({}, 1)).map(({ entry }) => [...entry]),
    [['x', null, '']],
  )
  await assert.rejects(
    sqlite(file, { name: 'flask_chst' }).find({}, 1),
    /there is no table flask_chst of tracked variables\. There are: flask_chest$/,
  )
  assert.equal(digest(), before)
  assert.deepEqual(readdirSync(folder), ['old.db'])
})

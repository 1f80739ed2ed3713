import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { run } from '../end-to-end/ledger-process.ts'
import { postgres } from '../servers/postgres.ts'
import { serverFor } from '../servers/running-server.ts'
import { everyBlockIsTested, onFreePort, Page } from './page.ts'
import { cleanEnv, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/migrations.md')
const service = page.fence('// service.ts')
const shown = page.fence('"check_migrations_applied": {')
const found = await serverFor(postgres)
const { skip } = found

const knexMigration = 'exports.up = () => {}\nexports.down = () => {}\n'
const unapplied = 'dockerflow.health.W001'

test('sample 91, DF-26 DF-28, guide, migrations: the service and what it answers', { skip }, async t => {
  const url = await emptyDatabase(t, 'service')
  const folder = await snippetFolder(t, 'express-5', {
    'service.ts': onFreePort(service),
    'migrations/001_notes.cjs': knexMigration,
    'migrations/002_orders.cjs': knexMigration,
    'up.cjs': `const db = require('knex')({ client: 'pg', connection: process.env.DATABASE_URL,
      migrations: { directory: 'migrations', loadExtensions: ['.cjs'] } })
      db.migrate.up().then(() => db.destroy())`,
  })
  const env = { DATABASE_URL: url }
  const { code, stderr } = await run(process.execPath, ['up.cjs'], { env: cleanEnv(env), cwd: folder.path })
  assert.equal(code, 0, stderr)
  const running = await startService(t, folder.runnable('service.ts'), { env })
  const { status, body } = await running.call('GET', '/__heartbeat__')
  assert.equal(status, 200)
  const { checks, details } = JSON.parse(body)
  assert.equal(checks.check_database_connected, 'ok')
  const { check_migrations_applied } = details
  assert.deepEqual({ check_migrations_applied }, JSON.parse(shown))
})

/** The workspace that has all of them, from those of the frameworks. */
const orms = '../orms'

const notes = 'CREATE TABLE notes (id int)'

/** The blocks of the tools, what they need, and what they then say about an empty database. */
const tools: readonly {
  readonly file: string
  readonly with: Readonly<Record<string, string>>
  readonly says: string
}[] = [
  {
    file: 'kysely.ts',
    with: { 'migrations/001_notes.mjs': 'export async function up() {}\n' },
    says: 'Unapplied migrations: 001_notes',
  },
  {
    file: 'drizzle.ts',
    with: {
      'drizzle/0000_notes.sql': notes,
      'drizzle/meta/_journal.json': JSON.stringify({ entries: [{ idx: 0, when: 1, tag: '0000_notes' }] }),
    },
    says: 'Unapplied migrations: 0000_notes',
  },
  {
    file: 'prisma.ts',
    with: {
      'prisma/migrations/20260101000000_notes/migration.sql': notes,
      'client.ts': `import pg from 'pg'
        const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
        export const prisma = {
          $connect: async () => {},
          $queryRawUnsafe: async (sql: string) => (await pool.query(sql)).rows,
        }`,
    },
    says: 'Unapplied migrations: 20260101000000_notes',
  },
  {
    file: 'typeorm.ts',
    with: {
      'notes-migration.ts': `import type { MigrationInterface, QueryRunner } from 'typeorm'
        export class Notes1700000000001 implements MigrationInterface {
          async up(runner: QueryRunner) { await runner.query('${notes}') }
          async down() {}
        }`,
    },
    says: 'Unapplied migrations: Notes1700000000001',
  },
  {
    file: 'sequelize.ts',
    with: { 'migrations/001_notes.cjs': 'exports.up = async () => {}' },
    says: 'Unapplied migrations: 001_notes.cjs',
  },
  {
    file: 'mikro.ts',
    with: { 'migrations/Migration1.js': '' },
    says: 'No migration was ever applied: there is no table mikro_orm_migrations',
  },
  {
    file: 'pool.ts',
    with: { 'migrations/1_notes.sql': notes, 'sql/0001_notes.sql': notes },
    says: 'Unapplied migrations: 1_notes',
  },
]

for (const { file, with: files, says } of tools) {
  const block = page.fence(`// ${file}`)
  test(`sample 91, DF-26 ruling 29, guide, migrations: ${file}`, { skip }, async t => {
    const url = await emptyDatabase(t, file)
    const folder = await snippetFolder(t, orms, {
      [file]: block,
      ...files,
      'ask.ts': `import { deedbox } from 'deedbox'
        import { createHealth } from 'deedbox/health'
        import { checks } from './${file}'
        const box = deedbox({ service: 'shop', ledger: null })
        const health = createHealth(box, { checks, details: 'always', ownChecks: false })
        const { status, body } = await health.answer({ method: 'GET', url: '/__heartbeat__', authorization: undefined })
        console.log(JSON.stringify({ code: status, ...JSON.parse(body) }))
        process.exit(0)`,
    })
    const { code, stdout, stderr } = await run(process.execPath, [folder.runnable('ask.ts')], {
      env: cleanEnv({ DATABASE_URL: url }),
      cwd: folder.path,
    })
    assert.equal(code, 0, stderr)
    const { code: status, checks, details } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
    assert.equal(status, 200)
    assert.equal(checks.check_database_connected, 'ok')
    assert.deepEqual(details.check_migrations_applied.messages, { [unapplied]: says })
    if (file === 'pool.ts')
      assert.deepEqual(details.check_sql_applied.messages, {
        [unapplied]: 'Unapplied migrations: 0001_notes',
      })
  })
}

everyBlockIsTested(page)

/** @returns its URL */
async function emptyDatabase(t: TestContext, name: string): Promise<string> {
  if (found.skip !== false) throw new Error(found.skip)
  const { host, port } = found.server
  const pool = new pg.Pool({ host, port, user: 'postgres', database: 'postgres' })
  pool.on('error', () => {})
  t.after(() => pool.end())
  await pool.query(`CREATE DATABASE "${name}"`)
  return `postgres://postgres@${host}:${port}/${name}`
}

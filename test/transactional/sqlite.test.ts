import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { outboxSuite } from './suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'deedbox-outbox-'))
after(() => rmSync(folder, { recursive: true, force: true }))

outboxSuite('SQLite', false, () => ({ kind: 'sqlite', file: join(folder, 'shop.db') }))

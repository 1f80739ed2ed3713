import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteReader, openSqliteStore } from '../../packages/ledger/src/store/index.ts'
import { checkLog } from '../../packages/ledger/src/testing/temp-ledger.ts'
import type { StoreHarness } from './conformance.ts'

/** One SQLite file; its folder is the place. */
export const harness: StoreHarness = {
  name: 'SQLite',
  module: import.meta.url,
  async newPlace(t) {
    const folder = mkdtempSync(join(tmpdir(), 'deedbox-store-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  },
  async openStore(place) {
    return openSqliteStore(join(place, 'ledger.db'))
  },
  config: place => ({
    path: join(place, 'ledger.db'),
    keysFolder: join(place, 'keys'),
    signingKey: undefined,
    guardFolder: join(place, 'guard'),
    ledgerName: 'main',
    kind: 'events',
    origin: undefined,
  }),
  async checkLog(place) {
    return checkLog(place)
  },
  async storedNumbers(place) {
    const reader = openSqliteReader(join(place, 'ledger.db'))
    try {
      const rows = [...reader.inspection().events(1, 0, 100_000)]
      return rows.map(row => JSON.parse(Buffer.from(row.payload!).toString()).n)
    } finally {
      reader.close()
    }
  },
}

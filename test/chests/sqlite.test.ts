import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after } from 'node:test'
import { sqlite } from 'deedbox/chests'
import type { Place } from './chest-harness.ts'
import { chestConformance } from './conformance.ts'
import { rowsOf } from './sqlite-rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'deedbox-chests-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let places = 0

chestConformance({
  name: 'SQLite',
  skip: false,
  isIdempotent: true,
  isReadable: true,
  async place(): Promise<Place> {
    const file = join(folder, `place-${++places}.db`)
    return {
      open: options => sqlite(file, options),
      stored: async () => rowsOf(new DatabaseSync(file), 'flask_chest'),
      program: `
import { sqlite } from 'deedbox/chests'
export const open = () => sqlite(${JSON.stringify(file)})`,
    }
  },
})

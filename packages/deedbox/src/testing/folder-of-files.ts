import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'

/** Texts by their paths in a folder; without a text there is no such file. */
export type Files = Readonly<Record<string, string | undefined>>

/** A folder with these files, which goes with the test. */
export function folderOfFiles(t: TestContext, files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-files-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    if (text === undefined) continue
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

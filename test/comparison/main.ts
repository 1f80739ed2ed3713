import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { measure } from './measure.ts'
import { page, readme } from './pages.ts'
import { shortTable, wholeTable, withSection } from './tables.ts'

// `npm run comparison`: plays everything, and writes the tables of docs/comparison.md and README.md.

if (process.argv.length > 2) {
  console.error('npm run comparison takes no arguments.')
  process.exit(2)
}
const measured = await measure()
const manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
  dependencies: Record<string, string>
}
const versions = Object.keys(manifest.dependencies).map(name => `${name} ${versionOf(name)}`)
const played = `Played with Node ${process.versions.node}: ${versions.join(', ')}.`
write(page, { comparison: wholeTable(measured), versions: played })
write(readme, { comparison: shortTable(measured) })

function versionOf(name: string): string {
  const require = createRequire(import.meta.url)
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')) as { version: string })
        .version
    } catch {}
  }
  throw new Error(`${name} is not installed.`)
}

function write(file: string, sections: Record<string, string>): void {
  const text = Object.entries(sections).reduce(
    (page, [name, section]) => withSection(page, name, section),
    readFileSync(file, 'utf8'),
  )
  writeFileSync(file, text)
}

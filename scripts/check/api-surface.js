// Compares what the built packages export with the committed snapshots, and judges the declarations themselves.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compareTexts, formatSnapshot, readSnapshot } from './api/snapshot.js'
import { surfaceOf } from './api/surface.js'
import { packagesOf, typesOf } from './packages.js'

/** @typedef {import('./packages.js').Package} Package */
/** @typedef {import('./api/surface.js').Item} Item */

const usage = `Usage: node scripts/check/api-surface.js [--update] [--root <folder>]

Compares the exported declarations of every package entry, as built, with packages/<package>/api/<entry>.api.txt.
It fails on any difference, on a declaration that uses the type any, and on an export without a doc comment.

  --update         write the snapshots instead of comparing them
  --root <folder>  the repository to look at; without it, the one of this script
  --help           this text
`

const marks = { added: '+', removed: '-', changed: '~' }

const options = readOptions()
if (options.help) {
  process.stdout.write(usage)
} else {
  const packages = packagesOf(options.root)
  const problems = options.update ? packages.flatMap(update) : packages.flatMap(check)
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exit(1)
}

function readOptions() {
  const here = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
  try {
    const { values } = parseArgs({
      options: {
        update: { type: 'boolean', default: false },
        root: { type: 'string', default: here },
        help: { type: 'boolean', default: false },
      },
    })
    return { update: values.update, root: resolve(values.root ?? here), help: values.help }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    process.exit(2)
  }
}

/**
 * The entries of a package with their items, and what prevents reading others.
 * @param {Package} pack
 */
function readEntries(pack) {
  const problems = []
  /** @type {{ entry: string, snapshot: string, items: Map<string, Item> }[]} */
  const entries = []
  for (const [entry, target] of Object.entries(pack.exports)) {
    if (entry === './package.json' || target === null) continue
    const types = typesOf(target)
    const place = `${pack.name} ${entry}`
    if (types === undefined)
      problems.push(`${place}: the entry names no "types" in packages/${pack.room}/package.json`)
    else if (entry.includes('*')) problems.push(`${place}: entry patterns have no snapshot; name each entry`)
    else {
      const name = entry === '.' ? 'index' : entry.slice(2)
      try {
        const items = surfaceOf(join(pack.folder, types))
        entries.push({ entry, snapshot: join(pack.folder, 'api', `${name}.api.txt`), items })
      } catch (error) {
        problems.push(`${place}: ${error instanceof Error ? error.message : error}`)
      }
    }
  }
  return { entries, problems }
}

/** @param {Package} pack @returns {string[]} */
function update(pack) {
  const { entries, problems } = readEntries(pack)
  for (const { entry, snapshot, items } of entries) {
    mkdirSync(dirname(snapshot), { recursive: true })
    writeFileSync(snapshot, formatSnapshot(pack.name, entry, items))
    console.log(`wrote ${relative(options.root, snapshot)}: ${count(items)}`)
  }
  // While an entry cannot be read, which snapshots are stale is not known.
  if (problems.length > 0) return problems
  for (const snapshot of staleSnapshots(pack, entries)) {
    rmSync(snapshot)
    console.log(`removed ${relative(options.root, snapshot)}: its entry is gone`)
  }
  return []
}

/** @param {Package} pack @returns {string[]} */
function check(pack) {
  const { entries, problems } = readEntries(pack)
  let differs = false
  for (const { entry, snapshot, items } of entries) {
    const place = `${pack.name} ${entry}`
    const before = existsSync(snapshot) ? readSnapshot(readFileSync(snapshot, 'utf8')) : undefined
    const after = new Map([...items].map(([heading, { text }]) => [heading, text]))
    const differences = compareTexts(before ?? new Map(), after)
    console.log(`${place}: ${count(items)}${differences.length === 0 ? ', as committed' : ''}`)
    if (differences.length > 0 || before === undefined) {
      differs = true
      problems.push(before === undefined ? `${place}: no snapshot is committed` : `${place}: the API differs`)
    }
    for (const { kind, heading, lines } of before === undefined ? [] : differences) {
      problems.push(`  ${marks[kind]} ${kind.padEnd(8)} ${heading}`, ...lines.map(line => `      ${line}`))
    }
    problems.push(...judge(place, items))
  }
  for (const snapshot of problems.length > 0 ? [] : staleSnapshots(pack, entries)) {
    differs = true
    problems.push(`${pack.name}: ${relative(options.root, snapshot)} belongs to no entry`)
  }
  if (differs)
    problems.push('If this is meant: run `npm run api:update` and mention the change in CHANGELOG.md.')
  return problems
}

/** @param {string} place @param {Map<string, Item>} items */
function judge(place, items) {
  return [...items].flatMap(([heading, { any, documented, exported }]) => [
    ...(any ? [`${place} ${heading}: the declaration uses the type any; say what it is, or unknown`] : []),
    ...(exported && !documented ? [`${place} ${heading}: the export has no doc comment`] : []),
  ])
}

/** @param {Map<string, Item>} items */
function count(items) {
  const names = [...items.values()].filter(({ exported }) => exported).length
  return names === 1 ? '1 name' : `${names} names`
}

/** @param {Package} pack @param {{ snapshot: string }[]} entries */
function staleSnapshots(pack, entries) {
  const folder = join(pack.folder, 'api')
  if (!existsSync(folder)) return []
  const wanted = new Set(entries.map(({ snapshot }) => snapshot))
  return readdirSync(folder, { recursive: true })
    .map(file => join(folder, String(file)))
    .filter(file => file.endsWith('.api.txt') && !wanted.has(file))
}

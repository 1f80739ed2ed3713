// Which rows of the contract the titles of the tests claim to prove, and which rows none does.
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { idsIn, prefixOf, readRows } from './row-ids.js'
import { titlesOf } from './titles.js'

/** @typedef {import('./titles.js').Title} Title */

const usage = `Usage: npm run coverage:contract -- [--json] [--require <rows>] … [--root <folder>]

Reads the titles of the tests and prints, for each group of rows in docs/contract/rows.json, how many rows some title
names, and the rows that no title names. It fails when a title names a row which does not exist, and when a row that the
file says is required has no test.

  --json            print one JSON object: the counts, the tests of each row, the missing rows, the unknown ids
  --require <rows>  exit with 1 if one of these rows has no test; rows are ids, ranges or prefixes, such as
                    "IF", "P1…P5" or "IF-18, IF-19"; may be given several times
  --root <folder>   the repository to look at; without it, the one of this script
  --help            this text
`

const options = readOptions()
if (options.help) {
  process.stdout.write(usage)
} else {
  process.exitCode = report()
}

function readOptions() {
  const here = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        require: { type: 'string', multiple: true, default: [] },
        root: { type: 'string', default: here },
        help: { type: 'boolean', default: false },
      },
    })
    return { ...values, root: resolve(values.root ?? here) }
  } catch (error) {
    return misused(error instanceof Error ? error.message : String(error))
  }
}

/** @param {string} message @returns {never} */
function misused(message) {
  console.error(`${message}\n\n${usage}`)
  process.exit(2)
}

/** @returns {number} the exit code */
function report() {
  const rows = readRows(join(options.root, 'docs/contract/rows.json'))
  const required = [...rows.required, ...options.require.flatMap(text => requiredRows(text, rows))]
  /** @type {Map<string, Title[]>} */
  const proved = new Map()
  /** @type {(Title & { id: string })[]} */
  const unknown = []
  for (const title of titlesOf(options.root)) {
    for (const id of idsIn(title.title)) {
      if (rows.titles.has(id)) proved.set(id, [...(proved.get(id) ?? []), title])
      else unknown.push({ ...title, id })
    }
  }
  const missing = [...rows.titles.keys()].filter(id => !proved.has(id))
  const missingRequired = [...new Set(required)].filter(id => !proved.has(id))

  if (options.json) printJson(rows, proved, missing, unknown)
  else printText(rows, missing)
  for (const { id, file, line, title } of unknown) {
    console.error(`${file}:${line}: there is no row ${id}; the title is "${title}"`)
  }
  if (missingRequired.length > 0) console.error(`Required, but no test names: ${missingRequired.join(', ')}`)
  return unknown.length > 0 || missingRequired.length > 0 ? 1 : 0
}

/**
 * @param {string} text
 * @param {import('./row-ids.js').Rows} rows
 * @returns {string[]}
 */
function requiredRows(text, rows) {
  const parts = text.split(/[\s,]+/).filter(part => part !== '')
  return (parts.length > 0 ? parts : ['']).flatMap(part => {
    const ids = rows.prefixes.get(part)?.ids ?? idsIn(part)
    const wrong = ids.find(id => !rows.titles.has(id))
    if (wrong !== undefined) return misused(`--require ${text}: there is no row ${wrong}.`)
    if (ids.length > 0) return ids
    const prefixes = [...rows.prefixes.keys()].join(', ')
    return misused(`--require ${text}: "${part}" is no row and no prefix. The prefixes are ${prefixes}.`)
  })
}

/** @param {import('./row-ids.js').Rows} rows @param {string[]} missing */
function printText(rows, missing) {
  const without = new Set(missing)
  for (const [prefix, { about, ids }] of rows.prefixes) {
    const open = ids.filter(id => without.has(id))
    console.log(`${prefix.padEnd(3)} ${ids.length - open.length} of ${ids.length} rows have a test: ${about}`)
    for (const id of open) console.log(`      ${id.padEnd(5)} ${rows.titles.get(id)}`)
  }
  const total = rows.titles.size
  console.log(`all ${total - missing.length} of ${total}`)
}

/**
 * @param {import('./row-ids.js').Rows} rows
 * @param {Map<string, Title[]>} proved
 * @param {string[]} missing
 * @param {unknown[]} unknown
 */
function printJson(rows, proved, missing, unknown) {
  const prefixes = [...rows.prefixes].map(([prefix, { ids }]) => {
    const without = missing.filter(id => prefixOf(id) === prefix).length
    return [prefix, { total: ids.length, proved: ids.length - without }]
  })
  const report = {
    prefixes: Object.fromEntries(prefixes),
    proved: Object.fromEntries(proved),
    missing,
    unknown,
  }
  console.log(JSON.stringify(report, null, 2))
}

// The rows a product is judged by, and how a test title names them.
import { readFileSync } from 'node:fs'

/**
 * @typedef {object} Rows
 * @property {Map<string, string>} titles what each row is about, by id, in the order of the file
 * @property {Map<string, { about: string, ids: string[] }>} prefixes the ids of each prefix, such as `IF`
 * @property {string[]} required ids that must have a test, whatever else is asked for
 */

/**
 * @param {string} file the path of a rows.json
 * @returns {Rows}
 * @throws {Error} for an id whose prefix is not that of its group, or a required id that no row has
 */
export function readRows(file) {
  /** @type {Record<string, { about: string, required?: string, rows: Record<string, string> }>} */
  const groups = JSON.parse(readFileSync(file, 'utf8'))
  /** @type {Rows} */
  const rows = { titles: new Map(), prefixes: new Map(), required: [] }
  for (const [prefix, group] of Object.entries(groups)) {
    for (const [id, title] of Object.entries(group.rows)) {
      if (prefixOf(id) !== prefix) throw new Error(`${file}: the row ${id} stands under ${prefix}`)
      rows.titles.set(id, title)
    }
    for (const id of idsIn(group.required ?? '')) {
      if (group.rows[id] === undefined)
        throw new Error(`${file}: ${id} is required, but there is no such row`)
      rows.required.push(id)
    }
    rows.prefixes.set(prefix, { about: group.about, ids: Object.keys(group.rows) })
  }
  return rows
}

/** @param {string} id */
export function prefixOf(id) {
  return id.replace(/-?\d+$/, '')
}

// Longer numbers behind P and F, such as P256, are names of other things. Forms that no id has (IF18, P-1) are
// taken for ids too, so that a slip of the pen is found.
const id = String.raw`(?:(?:IF|IP|FC|FA|DF)-?\d+|X-\d+|[PF]-?\d{1,2})`
const toId = String.raw`\s*(?:…|\.{2,3}|–|—|-|\bto\b)\s*(${id})`
const toNumber = String.raw`(?:…|\.{2,3})(\d+)`
const ids = new RegExp(String.raw`(?<![\w-])(${id})(?:${toId}|${toNumber})?(?![\w-])`, 'g')

/**
 * The row ids that a text names, ranges such as `FA-15…FA-23`, `P1–P5` or `P1…5` written out, each once.
 * An id need not exist. A range that does not go upwards within one prefix gives its two ends.
 * @param {string} text
 * @returns {string[]}
 */
export function idsIn(text) {
  const found = [...text.matchAll(ids)].flatMap(([, from = '', id, number]) => {
    const end = id ?? number
    return end === undefined ? [from] : range(from, end)
  })
  return [...new Set(found)]
}

/** @param {string} from @param {string} end an id, or only its number */
function range(from, end) {
  const prefix = from.replace(/\d+$/, '')
  const digits = from.slice(prefix.length)
  const last = /^\d+$/.test(end) ? prefix + end : end
  const [start, stop] = [Number(digits), Number(last.slice(prefix.length))]
  if (!last.startsWith(prefix) || !(start < stop) || stop - start > 999) return [from, last]
  return Array.from(
    { length: stop - start + 1 },
    (_, n) => prefix + String(start + n).padStart(digits.length, '0'),
  )
}

// What the manifests in packages/ say: the published packages and the entries they offer.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {object} Package
 * @property {string} name as published
 * @property {string} folder its path
 * @property {string} room its folder's name in packages/
 * @property {Record<string, unknown>} exports by entry, such as `./node`
 */

/**
 * The packages in a repository's packages/ folder that are published, sorted by folder.
 * @param {string} root the repository
 * @returns {Package[]}
 */
export function packagesOf(root) {
  const rooms = readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter(entry => entry.isDirectory() && existsSync(join(root, 'packages', entry.name, 'package.json')))
    .map(entry => entry.name)
  return rooms.sort().flatMap(room => {
    const folder = join(root, 'packages', room)
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    if (manifest.private === true) return []
    return [{ name: manifest.name, folder, room, exports: entriesOf(manifest.exports) }]
  })
}

/** @param {unknown} exports @returns {Record<string, unknown>} */
function entriesOf(exports) {
  if (exports === undefined) return {}
  const isMap =
    typeof exports === 'object' && exports !== null && Object.keys(exports).some(key => key.startsWith('.'))
  return isMap ? /** @type {Record<string, unknown>} */ (exports) : { '.': exports }
}

/**
 * The path of the `.d.ts` that an entry's conditions name, or nothing.
 * @param {unknown} target
 * @returns {string | undefined}
 */
export function typesOf(target) {
  if (typeof target !== 'object' || target === null) return undefined
  for (const [condition, value] of Object.entries(target)) {
    if (condition === 'types' && typeof value === 'string') return value
    const inner = typesOf(value)
    if (inner !== undefined) return inner
  }
  return undefined
}

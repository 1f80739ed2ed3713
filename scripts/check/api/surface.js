// The public API of one package entry: its exported names, each followed to where it is declared.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { readDeclarations } from './declarations.js'
import { printDeclaration, usesAny } from './print.js'

/** @typedef {import('./declarations.js').Declarations} Declarations */
/** @typedef {import('./declarations.js').Declaration} Declaration */
/** @typedef {{ file: string, name: string, declaration: Declaration }} Found */
/** @typedef {{ text: string, documented: boolean, any: boolean, exported: boolean }} Item */

/**
 * The items of an entry by the heading they get in a snapshot: exported names, `(module 'x')` and `(global)` for
 * what the entry adds to other modules, and `(not exported) Name` for declarations that exported ones refer to:
 * a change of these changes the API as well.
 *
 * @param {string} entryFile the entry's `.d.ts`
 * @returns {Map<string, Item>} sorted by heading
 * @throws {Error} for a missing file, an export of nothing, or a declaration that cannot be read; says where
 */
export function surfaceOf(entryFile) {
  const modules = new Modules(entryFile)
  /** @type {Map<string, Item>} */
  const items = new Map()
  /** @type {Found[]} */
  const found = []
  for (const name of modules.exportedNames(entryFile)) {
    const target = modules.find(entryFile, name)
    if (typeof target === 'string') {
      items.set(name, { text: target, documented: true, any: false, exported: true })
    } else {
      found.push(target)
      items.set(name, itemOf(target.declaration, true))
    }
  }
  for (const { file, name, declaration } of modules.reachedFrom(found)) {
    const heading = `(not exported) ${name}`
    const taken = items.has(heading)
    items.set(taken ? `${heading} of ${modules.shortName(file)}` : heading, itemOf(declaration, false))
  }
  for (const { of, pieces } of modules.augmentations()) {
    const added = `${items.has(`(${of})`) ? `${items.get(`(${of})`)?.text}\n` : ''}${printDeclaration(pieces)}`
    items.set(`(${of})`, { text: added, documented: true, any: usesAny(pieces), exported: false })
  }
  return new Map([...items].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** @param {Declaration} declaration @param {boolean} exported @returns {Item} */
function itemOf({ pieces, documented }, exported) {
  return { text: printDeclaration(pieces), documented, any: usesAny(pieces), exported }
}

/** The `.d.ts` files of one entry, each read once. */
class Modules {
  /** @type {Map<string, Declarations>} */
  #read = new Map()
  #root

  /** @param {string} entryFile */
  constructor(entryFile) {
    this.#root = dirname(entryFile)
  }

  /** @param {string} file relative to the entry's folder, without the ending */
  shortName(file) {
    return relative(this.#root, file)
      .replaceAll('\\', '/')
      .replace(/\.d\.[cm]?ts$/, '')
  }

  /** @param {string} file @returns {Declarations} */
  read(file) {
    const known = this.#read.get(file)
    if (known !== undefined) return known
    if (!existsSync(file)) throw new Error(`${file} does not exist; is the package built? (npm run build)`)
    try {
      const declarations = readDeclarations(readFileSync(file, 'utf8'))
      this.#read.set(file, declarations)
      return declarations
    } catch (error) {
      throw new Error(`${file}, ${error instanceof Error ? error.message : error}`)
    }
  }

  /** @param {string} file @param {Set<string>} [seen] @returns {Set<string>} */
  exportedNames(file, seen = new Set()) {
    if (seen.has(file)) return new Set()
    seen.add(file)
    const { exported, stars } = this.read(file)
    const names = new Set(exported.keys())
    for (const from of stars) {
      const target = fileOf(file, from)
      if (target === undefined) names.add(`* from '${from}'`)
      else for (const name of this.exportedNames(target, seen)) if (name !== 'default') names.add(name)
    }
    return names
  }

  /**
   * @param {string} file
   * @param {string} name an exported name
   * @returns {Found | string} text for what another package or an `export *` of one declares
   */
  find(file, name) {
    const { exported, stars } = this.read(file)
    const target = exported.get(name)
    if (target !== undefined)
      return 'local' in target ? this.#local(file, target.local) : this.#follow(file, target)
    for (const from of stars) {
      const next = fileOf(file, from)
      if (next === undefined ? name === `* from '${from}'` : this.exportedNames(next).has(name)) {
        return next === undefined ? `everything of '${from}'` : this.find(next, name)
      }
    }
    throw new Error(`${file} should export ${name}, which it does not`)
  }

  /** @param {string} file @param {string} local @returns {Found | string} */
  #local(file, local) {
    const { declared, imported } = this.read(file)
    const declaration = declared.get(local)
    if (declaration !== undefined) return { file, name: local, declaration }
    const elsewhere = imported.get(local)
    if (elsewhere === undefined) throw new Error(`${file} exports ${local}, which it does not declare`)
    return this.#follow(file, elsewhere)
  }

  /** @param {string} file @param {import('./declarations.js').Elsewhere} elsewhere @returns {Found | string} */
  #follow(file, { from, name }) {
    const target = fileOf(file, from)
    if (target === undefined) return `${name} of '${from}'`
    if (name === '*') {
      throw new Error(`${file} exports the module '${from}' as one name; export its names one by one`)
    }
    return this.find(target, name)
  }

  /** @param {Found[]} exported @returns {Found[]} the declarations of the same package that these refer to */
  reachedFrom(exported) {
    /** @param {Found} found */
    const keyOf = ({ file, name }) => `${file} ${name}`
    const known = new Set(exported.map(keyOf))
    const queue = [...exported]
    const reached = []
    for (const { file, declaration } of queue) {
      for (const name of namesIn(declaration)) {
        const found = this.#reach(file, name)
        if (found === undefined || known.has(keyOf(found))) continue
        known.add(keyOf(found))
        reached.push(found)
        queue.push(found)
      }
    }
    return reached.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  }

  /** @param {string} file @param {string} name @returns {Found | undefined} */
  #reach(file, name) {
    const { declared, imported } = this.read(file)
    const elsewhere = imported.get(name)
    if (!declared.has(name) && (elsewhere === undefined || elsewhere.name === '*')) return undefined
    const found = this.#local(file, name)
    return typeof found === 'string' ? undefined : found
  }

  augmentations() {
    // A Map's iterator also visits what is added on the way, so this reads effect imports of effect imports.
    for (const [file, { bare }] of this.#read) {
      for (const from of bare) {
        const target = fileOf(file, from)
        if (target !== undefined) this.read(target)
      }
    }
    return [...this.#read].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, { augmented }]) => augmented)
  }
}

/** @param {Declaration} declaration */
function namesIn({ pieces }) {
  const words = pieces.flatMap(piece =>
    piece.filter((token, at) => token.kind === 'word' && piece[at - 1]?.text !== '.'),
  )
  return new Set(words.map(token => token.text))
}

/** @param {string} importer @param {string} specifier @returns {string | undefined} nothing for another package's */
function fileOf(importer, specifier) {
  if (!specifier.startsWith('.')) return undefined
  // The compiler leaves the `.ts` of a relative import as it is in declarations.
  const target = resolve(dirname(importer), specifier)
  return target.replace(/(?<!\.d)\.([cm]?)[jt]sx?$/, '.d.$1ts')
}

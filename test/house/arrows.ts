import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, posix } from 'node:path'
import { findCycles, type Graph } from './cycles.ts'
import type { Import } from './imports.ts'
import { filesBelow, keysOf, type PackageSources, readPackages, type SourceFile } from './sources.ts'

/** Where to, and nowhere else, a package may point: the arrows of the design, by folder in packages/. */
const allowedArrows: Record<string, string[]> = {
  tlog: [],
  deedbox: ['tlog'],
  ledger: ['tlog', 'deedbox'],
  console: ['tlog'],
  'create-deedbox': [],
}

/** The `deedbox` command loads the commands of the ledger, if that is installed. */
const allowedDynamicImport = { from: 'packages/deedbox/src/commands/', to: '@deedbox/ledger/commands' }

const frameworksRoom = 'packages/deedbox/src/frameworks/'
const frameworkPackages =
  /^(express|connect|fastify|koa|hono|next|react|polka|restify|(@fastify|@koa|@hono|@nestjs|@hapi)\/.*)$/

const namesThatSayNothing = new Set(['utils', 'helpers', 'common', 'misc', 'types', 'constants', 'lib'])

/** All that a repository's imports and names have against the rules of the house, each as `file:line: what`. */
export function arrowViolations(root: string): string[] {
  const packages = readPackages(root)
  const rootDevelopment = keysOf(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies)
  return [
    ...packages.flatMap(pack => packageViolations(pack, packages, rootDevelopment)),
    ...packages.flatMap(pack => [...fileCycles(pack), ...roomCycles(pack)]),
    ...nameViolations(root),
  ]
}

function packageViolations(
  pack: PackageSources,
  all: PackageSources[],
  rootDevelopment: Set<string>,
): string[] {
  if (allowedArrows[pack.folder] === undefined) {
    return [`packages/${pack.folder}/package.json:1: the design has no arrows for a package of this name`]
  }
  return pack.files.flatMap(file =>
    file.imports.flatMap(imported => {
      const { specifier, line } = imported
      const problems = specifier.startsWith('.')
        ? relativeProblems(pack, file, specifier)
        : bareProblems(pack, file, imported, all, rootDevelopment)
      return problems.map(problem => `${file.path}:${line}: imports '${specifier}': ${problem}`)
    }),
  )
}

function relativeProblems(pack: PackageSources, file: SourceFile, specifier: string): string[] {
  const target = targetOf(file, specifier)
  const sources = `packages/${pack.folder}/src/`
  if (!target.startsWith(sources)) {
    if (file.isTest && !target.startsWith('packages/')) return []
    if (file.isTest && target.startsWith(`packages/${pack.folder}/`)) return []
    return ['it leaves the sources of its package; another package is imported by its name']
  }
  const room = roomOf(pack, target)
  const isDoor = room === undefined || target === `${sources}${room}/index.ts`
  if (file.isTest || isDoor || room === file.room) return []
  return [`the room ${room} is entered through its index.ts only`]
}

function bareProblems(
  pack: PackageSources,
  file: SourceFile,
  { specifier, dynamic }: Import,
  all: PackageSources[],
  rootDevelopment: Set<string>,
): string[] {
  if (isBuiltin(specifier)) return []
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (name === pack.name) return file.isTest ? [] : ['inside a package, imports are relative']
  const problems = []
  const target = all.find(other => other.name === name)
  const isAllowedDynamic =
    dynamic && file.path.startsWith(allowedDynamicImport.from) && specifier === allowedDynamicImport.to
  if (target !== undefined && !allowedArrows[pack.folder]?.includes(target.folder) && !isAllowedDynamic) {
    problems.push(`no arrow leads from ${pack.folder} to ${target.folder}`)
  }
  if (file.path.startsWith(frameworksRoom) && !file.isTest) {
    if (frameworkPackages.test(name) || (target === undefined && !pack.required.has(name))) {
      problems.push('an adapter describes its framework by structural types and imports none')
    }
  }
  const forTests = file.isTest && (pack.development.has(name) || rootDevelopment.has(name))
  if (!pack.declared.has(name) && !forTests) {
    problems.push(`packages/${pack.folder}/package.json does not declare ${name}`)
  }
  return problems
}

function targetOf(file: SourceFile, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(file.path), specifier))
}

function roomOf(pack: PackageSources, path: string): string | undefined {
  const parts = path.slice(`packages/${pack.folder}/src/`.length).split('/')
  return parts.length > 1 ? parts[0] : undefined
}

/** The relative imports of what is not a test: from, to, and where the import stands. */
function arrowsWithin(pack: PackageSources): { from: SourceFile; to: SourceFile; line: number }[] {
  const byPath = new Map(pack.files.map(file => [file.path, file]))
  return pack.files
    .filter(file => !file.isTest)
    .flatMap(from =>
      from.imports.flatMap(({ specifier, line }) => {
        const to = specifier.startsWith('.') ? byPath.get(targetOf(from, specifier)) : undefined
        return to === undefined ? [] : [{ from, to, line }]
      }),
    )
}

function fileCycles(pack: PackageSources): string[] {
  const arrows = arrowsWithin(pack).map(({ from, to, line }) => ({
    from: from.path,
    to: to.path,
    line,
    path: from.path,
  }))
  return findCircles(arrows, 'these files import one another in a circle')
}

/** A file directly in src stands for itself here: a circle from a room through it to the room is a circle too. */
function roomCycles(pack: PackageSources): string[] {
  const nodeOf = (file: SourceFile) => file.room ?? posix.basename(file.path)
  const arrows = arrowsWithin(pack)
    .filter(({ from, to }) => nodeOf(from) !== nodeOf(to))
    .map(({ from, to, line }) => ({ from: nodeOf(from), to: nodeOf(to), line, path: from.path }))
  // A circle of files alone is reported already.
  const isRoom = (node: string) => pack.files.some(({ room }) => room === node)
  return findCircles(arrows, 'these rooms import one another in a circle', isRoom)
}

interface Arrow {
  from: string
  to: string
  /** The importing file and its line. */
  path: string
  line: number
}

function findCircles(
  arrows: Arrow[],
  what: string,
  isWanted: (node: string) => boolean = () => true,
): string[] {
  const graph: Graph = new Map()
  for (const { from, to } of arrows) graph.set(from, (graph.get(from) ?? new Set()).add(to))
  const cycles = findCycles(graph).filter(cycle => cycle.some(isWanted))
  return cycles.map(cycle => {
    const places = cycle.map((from, at) => {
      const to = cycle[(at + 1) % cycle.length]
      const arrow = arrows.find(arrow => arrow.from === from && arrow.to === to)
      return `${arrow?.path}:${arrow?.line}`
    })
    const others = places.length > 1 ? `; by way of ${places.slice(1).join(', ')}` : ''
    return `${places[0]}: ${what}: ${[...cycle, cycle[0]].join(' → ')}${others}`
  })
}

function nameViolations(root: string): string[] {
  const sources = readPackages(root).map(({ folder }) => `packages/${folder}/src`)
  const files = [...sources, 'test', 'scripts', 'examples', 'bench'].flatMap(folder =>
    filesBelow(root, folder),
  )
  return files.flatMap(path => {
    const empty = path.split('/').find(part => namesThatSayNothing.has(part.split('.')[0] ?? ''))
    return empty === undefined ? [] : [`${path}:1: the name "${empty}" does not say what is inside`]
  })
}

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Import, importsIn } from './imports.ts'

/** A package of the repository, published or not, with its sources read. */
export interface PackageSources {
  /** The name of its folder in packages/. */
  folder: string
  /** The name that imports use. */
  name: string
  /** Names in `dependencies`: installed wherever the package is. */
  required: Set<string>
  /** Names that may be imported by what is published: the required ones, optional ones and peers. */
  declared: Set<string>
  /** Names in `devDependencies`. */
  development: Set<string>
  files: SourceFile[]
}

export interface SourceFile {
  /** Relative to the repository, with `/`. */
  path: string
  /** The first folder inside src, if it is not directly in src. */
  room: string | undefined
  isTest: boolean
  /** As an editor counts them. */
  lines: number
  imports: Import[]
}

/** Every package in `packages/`, sorted by folder. */
export function readPackages(root: string): PackageSources[] {
  return readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter(entry => entry.isDirectory() && existsSync(join(root, 'packages', entry.name, 'package.json')))
    .map(entry => readPackage(root, entry.name))
    .sort((a, b) => (a.folder < b.folder ? -1 : 1))
}

function readPackage(root: string, folder: string): PackageSources {
  const path = `packages/${folder}/package.json`
  const manifest: Record<string, unknown> = JSON.parse(readFileSync(join(root, path), 'utf8'))
  const required = keysOf(manifest.dependencies)
  const offered = [...keysOf(manifest.peerDependencies), ...keysOf(manifest.optionalDependencies)]
  return {
    folder,
    name: String(manifest.name),
    required,
    declared: new Set([...required, ...offered]),
    development: keysOf(manifest.devDependencies),
    files: filesBelow(root, `packages/${folder}/src`)
      .filter(file => /\.tsx?$/.test(file))
      .map(file => readSource(root, folder, file)),
  }
}

/** The names in an object such as `dependencies`; none where it is absent. */
export function keysOf(value: unknown): Set<string> {
  return new Set(typeof value === 'object' && value !== null ? Object.keys(value) : [])
}

function readSource(root: string, folder: string, path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8')
  const parts = path.slice(`packages/${folder}/src/`.length).split('/')
  return {
    path,
    room: parts.length > 1 ? parts[0] : undefined,
    isTest: /\.test\.tsx?$|^packages\/[^/]+\/src\/testing\//.test(path),
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    imports: importsIn(text),
  }
}

/** Folders that hold what others wrote, or what is made from the sources. */
const foreign = new Set(['node_modules', 'dist', '.git', '.deedbox'])

/** The files below a folder, sorted, relative to the repository, with `/`; none where the folder is absent. */
export function filesBelow(root: string, folder: string): string[] {
  const here = join(root, folder)
  if (!existsSync(here)) return []
  const paths = readdirSync(here, { withFileTypes: true }).flatMap(entry => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return foreign.has(entry.name) ? [] : filesBelow(root, path)
    return entry.isFile() ? [path] : []
  })
  return paths.sort()
}

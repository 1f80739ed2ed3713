import { posix } from 'node:path'
import type { Dockerfile } from './check-dockerfile.ts'
import { type Finding, fail, pass } from './check-findings.ts'
import type { IgnoreList } from './check-ignore.ts'
import { type Copy, imageOf, isWholeFolder } from './check-image.ts'
import type { Workflow } from './check-workflow.ts'

/** What the way of the version object into the image can be seen by. */
export interface VersionPlaces {
  readonly ignored: IgnoreList | undefined
  /** Names in the folder that is built. */
  readonly names: readonly string[]
  readonly workflows: readonly Workflow[]
}

/** App 3: something puts `version.json` into the image. (DF-58) */
export function judgeVersionObject(file: Dockerfile, places: VersionPlaces): Finding {
  const { ignored, names, workflows } = places
  const last = file.stages.length - 1
  const isMade = names.includes('version.json') || workflows.some(({ text }) => /version[.-]json/.test(text))
  const isLeftOut = ignored?.ignores('version.json') ?? false
  if (pathsIn(file, last, isMade && !isLeftOut, !isLeftOut).length > 0) {
    return pass('App 3', 'version.json comes into the image.')
  }
  if (isLeftOut && pathsIn(file, last, isMade, true).length > 0) {
    const advice = 'Take version.json out of .dockerignore.'
    return fail('App 3', '.dockerignore keeps version.json out of the image.', advice)
  }
  return isMade
    ? fail('App 3', 'No COPY brings version.json into the image.', 'COPY version.json ./')
    : fail(
        'App 3',
        'Nothing makes a version.json.',
        'In the workflow, before the image is built: npx deedbox version-json > version.json.',
      )
}

const isVersionFile = (path: string): boolean => posix.basename(path) === 'version.json'

/**
 * Where `version.json` lies in a stage.
 *
 * @param withFolder whether it comes with the whole folder that is built
 * @param byName whether it comes where it is named
 */
function pathsIn(file: Dockerfile, at: number, withFolder: boolean, byName: boolean): string[] {
  const image = imageOf({ ...file, stages: file.stages.slice(0, at + 1) })
  if (image === undefined) return []
  const written = image.scripts
    .filter(script => /version[.-]json/.test(script))
    .map(script => posix.resolve(image.workdir, /[\w./-]*version\.json/.exec(script)?.[0] ?? 'version.json'))
  const copied = image.copies.flatMap((copy): string[] => {
    const { from, sources, target, documents } = copy
    if (documents.length > 0) return isVersionFile(target) ? [target] : []
    if (from === undefined) {
      const isNamed = [target, ...sources].some(path => isVersionFile(path) || /^(\.\/)?\*\.json$/.test(path))
      const comes = (isNamed && byName) || (sources.some(isWholeFolder) && withFolder)
      return comes ? [placeOf(target)] : []
    }
    const stage = stageOf(file, from, at)
    // Of an image that is none of these stages only the name tells.
    if (stage < 0) return [target, ...sources].some(isVersionFile) ? [placeOf(target)] : []
    return pathsIn(file, stage, withFolder, byName).flatMap(path => taken(copy, path))
  })
  return [...written, ...copied]
}

function placeOf(target: string): string {
  return isVersionFile(target) ? target : posix.join(target, 'version.json')
}

/** Where a file of another stage comes to lie, if it is taken. */
function taken({ sources, target }: Copy, path: string): string[] {
  return sources.flatMap(source => {
    const origin = posix.resolve('/', source.replace(/\/\*?$/, ''))
    if (origin === path) return [target === '/' || !/\.json$/.test(target) ? placeOf(target) : target]
    const below = origin === '/' ? origin : `${origin}/`
    return path.startsWith(below) ? [posix.join(target, path.slice(below.length))] : []
  })
}

/** A stage before another one, by its name or number. */
function stageOf({ stages }: Dockerfile, name: string, before: number): number {
  const byName = stages.findLastIndex((stage, i) => i < before && stage.name === name.toLowerCase())
  return byName < 0 && /^\d+$/.test(name) && Number(name) < before ? Number(name) : byName
}

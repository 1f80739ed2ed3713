import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readDockerfile } from './check-dockerfile.ts'
import { judgeDockerfile } from './check-dockerfile-rules.ts'
import { type Finding, fail, pass, unseen } from './check-findings.ts'
import { readIgnoreList } from './check-ignore.ts'
import { type Image, imageOf } from './check-image.ts'
import { judgeAssets, judgeContext, judgeRecommendations } from './check-recommendations.ts'
import { judgeSecrets } from './check-secrets.ts'
import { judgeVersionObject } from './check-version-object.ts'
import { judgeWorkflows, readWorkflow, type Workflow } from './check-workflow.ts'
import { UsageError } from './usage-error.ts'

/** What judging looks at in a folder. */
export interface FolderContent {
  /** The text of its Dockerfile, if it has one. */
  readonly dockerfile: string | undefined
  /** The text of its `.dockerignore`, if it has one. */
  readonly ignored: string | undefined
  /** What is in the folder, without the folders below. */
  readonly names: readonly string[]
  /** The text of its `.npmrc`, if it has one. */
  readonly npmrc: string | undefined
  readonly workflows: readonly Workflow[]
  /** Whether it has a file of a CI system that is not read. */
  readonly hasOtherSystem: boolean
}

const otherSystems = [
  'Jenkinsfile',
  '.taskcluster.yml',
  'bitbucket-pipelines.yml',
  'azure-pipelines.yml',
].concat([
  '.drone.yml',
  '.travis.yml',
  'cloudbuild.yaml',
  'cloudbuild.yml',
  '.woodpecker',
  '.woodpecker.yml',
  '.buildkite',
])

/**
 * Reads what {@link judgeFolder} judges.
 *
 * @param file the Dockerfile, relative to the folder; default `Dockerfile`, else `Containerfile`
 * @throws UsageError when the folder, or a file that was named, cannot be read
 */
export function readFolder(folder: string, file: string | undefined): FolderContent {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    throw new UsageError(`${folder} is no folder that can be read.`)
  }
  const chosen = file ?? ['Dockerfile', 'Containerfile'].find(name => names.includes(name))
  const dockerfile = chosen === undefined ? undefined : textOf(join(folder, chosen))
  if (file !== undefined && dockerfile === undefined) {
    throw new UsageError(`${join(folder, file)} is no file that can be read.`)
  }
  const workflows = ['.github/workflows', '.circleci', '.']
    .flatMap(place => workflowNames(folder, place).map(name => (place === '.' ? name : `${place}/${name}`)))
    .map(path => readWorkflow(path, textOf(join(folder, path)) ?? ''))
  return {
    dockerfile,
    ignored:
      textOf(join(folder, `${chosen ?? 'Dockerfile'}.dockerignore`)) ?? textOf(join(folder, '.dockerignore')),
    names,
    npmrc: textOf(join(folder, '.npmrc')),
    workflows,
    hasOtherSystem: otherSystems.some(name => names.includes(name)),
  }
}

function workflowNames(folder: string, place: string): string[] {
  if (place === '.') return ['.gitlab-ci.yml'].filter(name => textOf(join(folder, name)) !== undefined)
  try {
    const names = readdirSync(join(folder, place)).filter(name => /\.ya?ml$/.test(name))
    return place === '.circleci' ? names.filter(name => name.startsWith('config.')) : names.toSorted()
  } catch {
    return []
  }
}

function textOf(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? readFileSync(path, 'utf8') : undefined
  } catch {
    return undefined
  }
}

/** Judges a folder against all of Dockerflow that files can show. (DF-57 … DF-65) */
export function judgeFolder(content: FolderContent): Finding[] {
  const { workflows, names, npmrc, hasOtherSystem } = content
  const file = content.dockerfile === undefined ? undefined : readDockerfile(content.dockerfile)
  const ignored = content.ignored === undefined ? undefined : readIgnoreList(content.ignored)
  const image = file === undefined ? undefined : imageOf(file)
  const findings = [
    ...judgeWorkflows(workflows, hasOtherSystem),
    ...judgeSecrets({ file, ignored, names, npmrc, workflows }),
    ...[4, 5, 6].map(number => unseen(`App ${number}`, 'Only the running service shows it.', runIt)),
    unseen('App 7', 'Where its lines go is not in these files.'),
  ]
  if (file === undefined || image === undefined) {
    const reason = file === undefined ? 'There is no Dockerfile.' : 'The Dockerfile has no FROM.'
    const advice = 'Write one; docs/guide/containers.md shows a whole one.'
    return [...findings, ...[1, 2, 3, 4, 5].map(number => fail(`Dockerfile ${number}`, reason, advice))]
  }
  return [
    ...findings,
    configuration(image),
    listening(image),
    judgeVersionObject(file, { ignored, names, workflows }),
    judgeAssets(image),
    ...judgeDockerfile(image),
    ...judgeRecommendations(file, image),
    ...judgeContext(image, ignored),
  ]
}

const runIt = 'Give its URL too: deedbox check . http://localhost:8000.'

const settingsFile =
  /(^|\/)(\.env(\.[\w-]+)?|(settings|config)[.-](prod|production|staging|stage|local)\.\w+)$/

/** App 1. A file of settings for one environment makes an image for that one. */
function configuration({ copies }: Image): Finding {
  const copied = copies
    .flatMap(({ sources, target }) => [...sources, target])
    .find(name => settingsFile.test(name))
  const advice = 'Leave it out, and give each setting as a variable of the environment.'
  if (copied !== undefined)
    return fail('App 1', `COPY brings ${copied}, the settings of one environment.`, advice)
  return pass('App 1', 'The image brings no settings of an environment.')
}

/** App 2. That the program listens there can only be seen when it runs. */
function listening({ environment, entrypoint, command }: Image): Finding {
  const started = [entrypoint?.text, command?.text].join(' ')
  const fixed = /--port[=",\s]+(\d+)/.exec(started)?.[1]
  if (fixed !== undefined) {
    const reason = `The command line fixes the port to ${fixed}.`
    return fail('App 2', reason, 'Leave it out, and listen on PORT.')
  }
  const port = environment.get('PORT')
  if (port !== undefined) return pass('App 2', `The image says PORT=${port}.`)
  return unseen('App 2', 'Whether the program listens on PORT is not in these files.', runIt)
}

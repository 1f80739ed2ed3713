import { commitHash, sourceUrl, type VersionFacts } from './version-facts.ts'

type Variables = Readonly<Record<string, string | undefined>>

/** A CI system: the variable by which it is known, and what its others say. */
const systems: Readonly<Record<string, (of: (name: string) => string | undefined) => VersionFacts>> = {
  GITHUB_ACTIONS: of => {
    const source = joined(of('GITHUB_SERVER_URL'), '/', of('GITHUB_REPOSITORY'))
    return {
      source,
      commit: of('GITHUB_SHA'),
      version: of('GITHUB_REF_TYPE') === 'tag' ? of('GITHUB_REF_NAME') : undefined,
      build: joined(source, '/actions/runs/', of('GITHUB_RUN_ID')),
    }
  },
  CIRCLECI: of => ({
    source: of('CIRCLE_REPOSITORY_URL'),
    commit: of('CIRCLE_SHA1'),
    version: of('CIRCLE_TAG'),
    build: of('CIRCLE_BUILD_URL'),
  }),
  GITLAB_CI: of => ({
    source: of('CI_PROJECT_URL'),
    commit: of('CI_COMMIT_SHA'),
    version: of('CI_COMMIT_TAG'),
    build: of('CI_JOB_URL'),
  }),
  BUILDKITE: of => ({
    source: of('BUILDKITE_REPO'),
    commit: of('BUILDKITE_COMMIT'),
    version: of('BUILDKITE_TAG'),
    build: of('BUILDKITE_BUILD_URL'),
  }),
  TF_BUILD: of => ({
    source: of('BUILD_REPOSITORY_URI'),
    commit: of('BUILD_SOURCEVERSION'),
    version: /^refs\/tags\/(.+)$/.exec(of('BUILD_SOURCEBRANCH') ?? '')?.[1],
    build: joined(
      joined(of('SYSTEM_COLLECTIONURI'), '', of('SYSTEM_TEAMPROJECT')),
      '/_build/results?buildId=',
      of('BUILD_BUILDID'),
    ),
  }),
  JENKINS_URL: of => ({
    source: of('GIT_URL'),
    commit: of('GIT_COMMIT'),
    version: of('TAG_NAME'),
    build: of('BUILD_URL'),
  }),
}

/** What a CI system says. */
export interface CiFacts extends VersionFacts {
  /** A hash that is cut short, in the place of the commit. */
  readonly shortCommit?: string | undefined
}

/** What the variables of a CI system say; nothing outside of one. (DF-05) */
export function ciFacts(variables: Variables): CiFacts {
  const of = (name: string): string | undefined => variables[name]?.trim() || undefined
  const name = Object.keys(systems).find(each => !['', 'false'].includes((of(each) ?? '').toLowerCase()))
  const told = name === undefined ? taskcluster(variables, of) : (systems[name]?.(of) ?? {})
  const { source, commit, version, build } = told
  const facts = {
    source: source === undefined ? undefined : sourceUrl(source),
    commit: commitHash(commit),
    shortCommit: /^[0-9a-f]{4,39}$/.exec(commit ?? '')?.[0],
    version,
    build: buildUrl(build),
  }
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}

/** It names the repository by a prefix of the project's own: `SHOP_HEAD_REPOSITORY`, `SHOP_HEAD_REV`. */
function taskcluster(variables: Variables, of: (name: string) => string | undefined): VersionFacts {
  const root = of('TASKCLUSTER_ROOT_URL')
  const task = of('TASK_ID')
  if (root === undefined || task === undefined) return {}
  const build = `${root.replace(/\/+$/, '')}/tasks/${task}`
  const run = of('RUN_ID')
  const repositories = Object.keys(variables).filter(
    name => name.endsWith('_HEAD_REPOSITORY') && of(name) !== undefined,
  )
  const [only] = repositories
  const prefix =
    only === undefined || repositories.length > 1 ? undefined : only.slice(0, -'REPOSITORY'.length)
  return {
    build: run === undefined ? build : `${build}/runs/${run}`,
    ...(prefix === undefined
      ? {}
      : { source: of(`${prefix}REPOSITORY`), commit: of(`${prefix}REV`), version: of(`${prefix}TAG`) }),
  }
}

function joined(first: string | undefined, middle: string, last: string | undefined): string | undefined {
  return first === undefined || last === undefined ? undefined : `${first}${middle}${last}`
}

/** Without user and password. */
function buildUrl(text: string | undefined): string | undefined {
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.username === '' && url.password === '') return text
  url.username = ''
  url.password = ''
  return url.href
}

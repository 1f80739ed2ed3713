import { commandsOf } from './check-accounts.ts'
import type { Dockerfile } from './check-dockerfile.ts'
import { isOfficial } from './check-dockerfile-rules.ts'
import { type Finding, fail, passUnless, unseen, warn } from './check-findings.ts'
import type { IgnoreList } from './check-ignore.ts'
import { type Copy, type Image, isWholeFolder, stepsOf, wordsOf } from './check-image.ts'

const manyProcesses =
  /\b(supervisord|pm2|pm2-runtime|forever|s6-svscan|runsvdir|concurrently|npm-run-all|run-p|nodemon|foreman)\b/
const watchers = /(?:^|\s)--watch(?:\s|$)/

/** Optional 1 to 4: one process, mozlog, a small image that caches well, port 8000. (DF-64) */
export function judgeRecommendations(file: Dockerfile, image: Image): Finding[] {
  return [
    ...oneProcess(image),
    unseen('Optional 2', 'Whether lines on standard output are in mozlog is not in these files.'),
    ...optimised(file, image),
    ...port(image),
  ]
}

function oneProcess({ entrypoint, command }: Image): Finding[] {
  const words = [entrypoint, command].flatMap(instruction => (instruction ? wordsOf(instruction) : []))
  const started = words.join(' ')
  const manager = manyProcesses.exec(started)?.[1]
  const background = /(?<![&>])&(?![&>\d])/.test(started)
  const advice = 'Run one process, and let the platform run as many containers as are needed.'
  return passUnless(
    'Optional 1',
    [
      manager === undefined ? undefined : warn('Optional 1', `The container runs ${manager}.`, advice),
      background
        ? warn('Optional 1', 'The container starts a program in the background.', advice)
        : undefined,
      watchers.test(started)
        ? warn('Optional 1', 'The container watches its files, as for development.', 'Leave out --watch.')
        : undefined,
    ],
    'The container runs one program.',
  )
}

function optimised(file: Dockerfile, { base }: Image): Finding[] {
  const [name = '', tag] = base.replace(/@.*/, '').split(/:(?!.*\/)/)
  const isPinned = base.includes('@') || base === 'scratch'
  const isSmall = /slim|alpine|distroless|chainguard|scratch/.test(base)
  return passUnless(
    'Optional 3',
    [
      isOfficial(base) || name.startsWith('gcr.io/distroless/')
        ? undefined
        : warn('Optional 3', `${base} is no official image.`, 'Begin with one, such as node:24-slim.'),
      isPinned || (tag !== undefined && tag !== 'latest')
        ? undefined
        : warn('Optional 3', `${base} is another image each month.`, 'Name a version, such as node:24-slim.'),
      isSmall
        ? undefined
        : warn('Optional 3', `${base} is not slim.`, 'Begin with node:24-slim or node:24-alpine.'),
      ...file.stages.map(stage => order(stepsOf(file, stage))),
    ],
    'The image begins with a small official one; dependencies come before sources.',
  )
}

const installs = /\b(npm (ci|i|install)|yarn( install)?( --[\w-]+)*$|pnpm (i|install))\b/

function order(steps: readonly (Copy | string)[]): Finding | undefined {
  const at = steps.findIndex(step => typeof step === 'string' && installs.test(step))
  const isWhole = (step: Copy | string) =>
    typeof step !== 'string' && step.from === undefined && step.sources.some(isWholeFolder)
  if (at < 0 || !steps.slice(0, at).some(isWhole)) return undefined
  return warn(
    'Optional 3',
    'All sources are copied before the dependencies are installed, so that each change installs them anew.',
    'COPY package.json and the lock file, install, then COPY the rest.',
  )
}

function port({ environment, exposed }: Image): Finding[] {
  const set = environment.get('PORT')
  const advice = 'ENV PORT=8000 and EXPOSE 8000.'
  const named = set ?? exposed[0]
  return passUnless(
    'Optional 4',
    [
      named === undefined ? warn('Optional 4', 'Neither PORT nor EXPOSE names a port.', advice) : undefined,
      set !== undefined && exposed.length > 0 && !exposed.includes(set)
        ? warn('Optional 4', `PORT is ${set}, and EXPOSE names ${exposed.join(', ')}.`, advice)
        : undefined,
      named !== undefined && named !== '8000'
        ? warn('Optional 4', `The port is ${named}.`, `${advice} 8000 is what Dockerflow recommends.`)
        : undefined,
    ],
    'The port is 8000.',
  )
}

/** Static 1: what is built goes into the image, and nothing else. (DF-65) */
export function judgeContext(image: Image, ignored: IgnoreList | undefined): Finding[] {
  const advice = 'Name node_modules and .git in .dockerignore.'
  if (ignored === undefined) {
    return [warn('Static 1', 'There is no .dockerignore: all of the folder goes to the builder.', advice)]
  }
  const missing = ['node_modules', '.git'].filter(name => !ignored.ignores(name))
  const isCopied = image.copies.some(({ from, sources }) => from === undefined && sources.some(isWholeFolder))
  const said = `.dockerignore does not name ${missing.join(' and ')}${isCopied ? ', and COPY takes all' : ''}.`
  return passUnless(
    'Static 1',
    [missing.length > 0 ? warn('Static 1', said, advice) : undefined],
    '.dockerignore keeps node_modules and .git out.',
  )
}

const copiesAssets = /\b(aws s3 (cp|sync)|gsutil (cp|-m|rsync)|rclone (copy|sync))\b/

/** App 8: the image serves its own static content. Only what speaks against it can be seen. (DF-58, DF-65) */
export function judgeAssets({ scripts }: Image): Finding {
  const carries = scripts.flatMap(commandsOf).some(words => copiesAssets.test(words.join(' ')))
  if (carries) {
    const advice = 'Serve them from the service, with far-future caching, and put a cache before it.'
    return fail('App 8', 'The build copies static files to another place.', advice)
  }
  return unseen('App 8', 'Whether static files are served with far-future caching is not in these files.')
}

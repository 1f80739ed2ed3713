import { readAccounts } from './check-accounts.ts'
import { type Finding, fail, pass, passUnless, unseen, warn } from './check-findings.ts'
import { type Image, wordsOf } from './check-image.ts'

const number = '10001'

/** Dockerfile 1 to 5: sources in `/app`, group and user `app` 10001, ENTRYPOINT and CMD, USER. (DF-60 … DF-63) */
export function judgeDockerfile(image: Image): Finding[] {
  return [sources(image), group(image), user(image), ...start(image), runningUser(image)]
}

/** Files that speak of the sources, and are none. */
const beside = /(^|\/)(version\.json|package[\w*-]*\.json|[\w.-]*lock[\w.-]*|\.npmrc)$/

function sources({ copies: all, workdir }: Image): Finding {
  const others = all.filter(
    ({ sources }) => sources.length === 0 || !sources.every(path => beside.test(path)),
  )
  const copies = others.length > 0 ? others : all
  const is = (path: string) => path === '/app' || path.startsWith('/app/')
  const advice = 'Say "WORKDIR /app", and COPY the sources there.'
  if (copies.length === 0) {
    return is(workdir)
      ? pass('Dockerfile 1', 'The working folder is /app.')
      : fail('Dockerfile 1', `Nothing is copied to /app, and the working folder is ${workdir}.`, advice)
  }
  if (copies.some(({ target }) => is(target))) return pass('Dockerfile 1', 'The sources are in /app.')
  const targets = [...new Set(copies.map(({ target }) => target))].join(', ')
  return fail('Dockerfile 1', `The sources go to ${targets}, not to /app.`, advice)
}

function group(image: Image): Finding {
  const { groups } = readAccounts(image.scripts)
  const app = groups.findLast(({ name }) => name === 'app')
  const advice = `RUN groupadd --gid ${number} app (Alpine: addgroup -g ${number} app).`
  if (app?.id === number) return pass('Dockerfile 2', `A group app has the number ${number}.`)
  if (app !== undefined) {
    return fail('Dockerfile 2', `The group app has ${numberText(app.id)}, not ${number}.`, advice)
  }
  return missing('Dockerfile 2', image, 'No group app is made.', advice)
}

function user(image: Image): Finding {
  const { users, groups } = readAccounts(image.scripts)
  const app = users.findLast(({ name }) => name === 'app')
  const advice = `RUN useradd --uid ${number} --gid ${number} app (Alpine: adduser -D -u ${number} -G app app).`
  if (app === undefined) return missing('Dockerfile 3', image, 'No user app is made.', advice)
  if (app.id !== number) {
    return fail('Dockerfile 3', `The user app has ${numberText(app.id)}, not ${number}.`, advice)
  }
  const appGroups = new Set(['app', ...groups.filter(({ name }) => name === 'app').map(({ id }) => id)])
  if (!app.groups.some(name => appGroups.has(name) || name === number)) {
    return fail('Dockerfile 3', 'The user app is not in the group app.', advice)
  }
  return pass('Dockerfile 3', `A user app has the number ${number} and is in the group app.`)
}

function numberText(id: string | undefined): string {
  return id === undefined ? 'no number given' : `the number ${id}`
}

function start(image: Image): Finding[] {
  const { entrypoint, command } = image
  const advice = 'ENTRYPOINT is the program (["node"]), CMD its arguments (["server.js"]).'
  const problems: Finding[] = []
  for (const [name, instruction] of [
    ['ENTRYPOINT', entrypoint],
    ['CMD', command],
  ] as const) {
    if (instruction === undefined) {
      problems.push(missing('Dockerfile 4', image, `There is no ${name}.`, advice))
    } else if (instruction.json === undefined && name === 'ENTRYPOINT') {
      const reason = 'ENTRYPOINT is no JSON array, so a shell runs it, and CMD has no effect.'
      problems.push(fail('Dockerfile 4', reason, advice))
    } else if (instruction.json === undefined) {
      const reason = 'CMD is no JSON array, so ENTRYPOINT gets "/bin/sh -c" and one long word.'
      problems.push(warn('Dockerfile 4', reason, advice))
    }
  }
  const program = entrypoint ?? command
  const [first = '', ...more] = program === undefined ? [] : wordsOf(program)
  const arranger = /(?:^|\/)(npm|npx|yarn|pnpm)$/.exec(first)?.[1]
  const second = arranger ?? /^exec (npm|npx|yarn|pnpm)\b/.exec(`${first} ${more.join(' ')}`)?.[1]
  if (second !== undefined) {
    problems.push(
      warn(
        'Dockerfile 4',
        `The first process is ${second}, which keeps SIGTERM to itself.`,
        'Run node itself.',
      ),
    )
  }
  return passUnless('Dockerfile 4', problems, 'Both ENTRYPOINT and CMD are there.')
}

function runningUser(image: Image): Finding {
  const advice = 'Say "USER app" after the last instruction that needs root.'
  if (image.user === undefined) return missing('Dockerfile 5', image, 'No USER is named.', advice)
  const [name = ''] = image.user.split(':')
  if (name === 'app' || name === number) return pass('Dockerfile 5', `The image runs as ${image.user}.`)
  return fail('Dockerfile 5', `The image runs as ${image.user}.`, advice)
}

/** What an official image lacks is lacking; another one may bring it along. */
function missing(requirement: string, { base }: Image, reason: string, advice: string): Finding {
  if (isOfficial(base) || base === 'scratch') return fail(requirement, reason, advice)
  return unseen(requirement, `${reason} Whether ${base} has it is not in this file.`, advice)
}

/** Whether Docker itself publishes the image; mirrors of its library count. */
export function isOfficial(base: string): boolean {
  const name = base.replace(
    /^(?:docker\.io\/|(?:mirror\.gcr\.io|public\.ecr\.aws\/docker)\/)?(?:library\/)?/,
    '',
  )
  return !name.includes('/') && !name.includes('$') && name !== ''
}

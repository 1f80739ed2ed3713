import { type Finding, fail, pass, passUnless, unseen, warn } from './check-findings.ts'

/** What a service answered to one request. */
export interface ServiceAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Until all of it was there. */
  readonly milliseconds: number
}

/** An answer, or a sentence that says why there is none. */
export type Reply = ServiceAnswer | string

/** Replies to all that is asked of a service. */
export interface ServiceReplies {
  readonly version: Reply
  readonly heartbeat: Reply
  readonly lbheartbeat: Reply
  readonly error: Reply
  /** To HEAD, in the order of version, heartbeat, lbheartbeat. */
  readonly heads: readonly Reply[]
  /** To a path that no service has: where it is answered with 200, so is everything, and 200 says nothing. */
  readonly control: Reply
  /** `/__lbheartbeat__/` */
  readonly slash: Reply
  /** A static file, if one was named. */
  readonly asset: { readonly path: string; readonly reply: Reply } | undefined
}

/** Judges the answers of a running service. (DF-58, DF-59; and DF-10 … DF-12 as Extra 1 to 4) */
export function judgeService(replies: ServiceReplies): Finding[] {
  return [
    unseen('App 1', 'Where its settings come from is not seen from outside.', readIt),
    unseen('App 2', 'It listens here; whether PORT says so is not seen from outside.', readIt),
    unseen('App 3', 'Where the version object lies is not seen from outside.', readIt),
    ...version(replies.version),
    ...(answersAll('App 5', '/__heartbeat__', replies.heartbeat, replies.control) ??
      heartbeat(replies.heartbeat)),
    ...(answersAll('App 6', '/__lbheartbeat__', replies.lbheartbeat, replies.control) ??
      lbheartbeat(replies.lbheartbeat)),
    unseen('App 7', 'Where its lines go is not seen from outside.'),
    asset(replies.asset),
    caching(replies),
    details(replies.heartbeat),
    errorPage(replies.error),
    ...paths(replies),
  ]
}

/** What is said of a service that does not answer at all. */
export function judgeSilence(url: string, reason: string): Finding[] {
  return [4, 5, 6].map(number =>
    fail(`App ${number}`, `${url} does not answer: ${reason}.`, 'Start it, and look at host and port.'),
  )
}

const readIt = 'Give its folder too: deedbox check . http://localhost:8000.'

/** Why an answer is not the wanted one, where it is none of an endpoint at all. */
function notServed(requirement: string, path: string, reply: Reply): Finding | undefined {
  const advice = 'app.use(health(box)) serves it.'
  if (typeof reply === 'string') return fail(requirement, `${path} does not answer: ${reply}.`, advice)
  const { status, headers } = reply
  if (status >= 300 && status < 400) {
    const reason = `${path} answers ${status}, to ${withoutUser(headers.location ?? 'nowhere')}.`
    return fail(requirement, reason, 'Answer it before redirects to HTTPS and before sign-in.')
  }
  if (status === 401 || status === 403) {
    const advice = 'Answer it before sign-in; a load balancer has no account.'
    return fail(requirement, `${path} answers ${status}.`, advice)
  }
  return status === 404 || status === 405
    ? fail(requirement, `${path} answers ${status}.`, advice)
    : undefined
}

/** The finding that an answer is the one which any path gets, as from the page of an application in the browser. */
function answersAll(requirement: string, path: string, reply: Reply, control: Reply): Finding[] | undefined {
  if (typeof reply === 'string' || typeof control === 'string') return undefined
  if (reply.status !== 200 || control.status !== 200) return undefined
  const isSame = reply.body === control.body || (isPage(reply) && isPage(control))
  if (!isSame) return undefined
  const reason = `${path} answers 200, and so does a path that does not exist, in the same way.`
  return [fail(requirement, reason, 'app.use(health(box)), before the page that answers all other paths.')]
}

function isPage({ headers, body }: ServiceAnswer): boolean {
  return /^text\/html\b/i.test(headers['content-type'] ?? '') || /^\s*<(!doctype|html)\b/i.test(body)
}

function withoutUser(location: string): string {
  return location.replace(/\/\/[^/@]*@/, '//').replace(/\?.*/, '')
}

const members = ['source', 'version', 'commit', 'build']

function version(reply: Reply): Finding[] {
  const path = '/__version__'
  const missing = notServed('App 4', path, reply)
  if (missing !== undefined && (typeof reply === 'string' || reply.status !== 404)) return [missing]
  const { status, headers, body } = reply as ServiceAnswer
  const make = 'Make version.json with "deedbox version-json" before the image is built.'
  if (status !== 200) return [fail('App 4', `${path} answers ${status}.`, make)]
  const object = objectIn(body)
  if (object === undefined) return [fail('App 4', `${path} answers no JSON object.`, make)]
  const absent = members.filter(name => typeof object[name] !== 'string')
  const { source, commit, build } = object as Record<string, string>
  const type = headers['content-type'] ?? 'no type'
  return passUnless(
    'App 4',
    [
      isJson(type) ? undefined : fail('App 4', `${path} answers ${type}.`, 'Answer application/json.'),
      absent.length > 0
        ? fail('App 4', `The version object has no text ${absent.join(', ')}.`, make)
        : undefined,
      absent.includes('source') || isAddress(source!)
        ? undefined
        : fail('App 4', `source is no address of a repository: "${short(source!)}".`, make),
      absent.includes('commit') || /^[0-9a-f]{7,64}$/i.test(commit!)
        ? undefined
        : fail('App 4', `commit is no hash: "${short(commit!)}".`, make),
      absent.includes('build') || isAddress(build!)
        ? undefined
        : warn('App 4', `build is no address of a CI job: "${short(build!)}".`, make),
    ],
    `${path} answers the version object, commit ${(commit ?? '').slice(0, 12)}.`,
  )
}

function heartbeat(reply: Reply): Finding[] {
  const path = '/__heartbeat__'
  const missing = notServed('App 5', path, reply)
  if (missing !== undefined) return [missing]
  const { status, headers, body } = reply as ServiceAnswer
  if (status !== 200 && (status < 500 || status > 599)) {
    return [fail('App 5', `${path} answers ${status}.`, 'Answer 200, or 5xx when a check fails.')]
  }
  if (isPage(reply as ServiceAnswer)) {
    const reason = `${path} answers ${status} with a page of HTML.`
    const advice = 'That is a proxy or a page for people: let app.use(health(box)) answer it.'
    return [fail('App 5', reason, advice)]
  }
  const object = objectIn(body)
  if (status === 200 && (object?.status === 'error' || object?.status === 'critical')) {
    const reason = `${path} answers 200 and says status "${object.status}".`
    return [fail('App 5', reason, 'Answer 5xx when a check fails: nobody who asks reads more than that.')]
  }
  const hasChecks = Object.keys((object?.checks as object | undefined) ?? {}).length > 0
  const said = status === 200 ? 'answers 200' : `answers ${status}, so a check fails at the moment`
  return passUnless(
    'App 5',
    [
      object !== undefined && isJson(headers['content-type'] ?? '')
        ? undefined
        : warn('App 5', `${path} ${said}, without a JSON object.`, 'Say in JSON which checks there are.'),
      object !== undefined && !hasChecks
        ? warn(
            'App 5',
            `${path} ${said}, and has no check.`,
            'Let it check what the service cannot do without.',
          )
        : undefined,
    ],
    `${path} ${said}, with its checks.`,
  )
}

/** More, and a load balancer that asks each second waits for it. */
const slow = 1_000

function lbheartbeat(reply: Reply): Finding[] {
  const path = '/__lbheartbeat__'
  const missing = notServed('App 6', path, reply)
  if (missing !== undefined) return [missing]
  const { status, milliseconds } = reply as ServiceAnswer
  const advice = 'Answer 200 without asking anything else.'
  if (status !== 200) return [fail('App 6', `${path} answers ${status}.`, advice)]
  if (milliseconds > slow) {
    return [warn('App 6', `${path} took ${(milliseconds / 1_000).toFixed(1)} seconds.`, advice)]
  }
  return [pass('App 6', `${path} answers 200 at once.`)]
}

const yearOfSeconds = 31_536_000
const monthOfSeconds = 2_592_000

function asset(named: ServiceReplies['asset']): Finding {
  if (named === undefined) {
    return unseen('App 8', 'No static file was named.', 'Name one: --asset /assets/main-5f3a9c01.js.')
  }
  const { path, reply } = named
  const advice =
    'Serve files with a hash in their name by staticFiles(), or with max-age=31536000, immutable.'
  if (typeof reply === 'string') return fail('App 8', `${path} does not answer: ${reply}.`, advice)
  if (reply.status !== 200) return fail('App 8', `${path} answers ${reply.status}.`, advice)
  const control = reply.headers['cache-control'] ?? ''
  const age = Number(/\bmax-age=(\d+)/.exec(control)?.[1] ?? 0)
  if (/\bno-(store|cache)\b/.test(control) || age < monthOfSeconds) {
    return fail(
      'App 8',
      `${path} has ${control === '' ? 'no Cache-Control' : `"${short(control)}"`}.`,
      advice,
    )
  }
  if (age < yearOfSeconds) return warn('App 8', `${path} may be kept for ${age} seconds only.`, advice)
  return pass('App 8', `${path} may be kept for a year.`)
}

function caching({ version, heartbeat, lbheartbeat }: ServiceReplies): Finding {
  const replies = { '/__version__': version, '/__heartbeat__': heartbeat, '/__lbheartbeat__': lbheartbeat }
  const kept = Object.entries(replies)
    .filter(
      ([, reply]) => typeof reply !== 'string' && !/no-store/.test(reply.headers['cache-control'] ?? ''),
    )
    .map(([path]) => path)
  if (kept.length === 0) return pass('Extra 1', 'No answer may be kept by a cache.')
  return warn('Extra 1', `A cache may keep ${kept.join(', ')}.`, 'Send Cache-Control: no-store.')
}

function details(reply: Reply): Finding {
  const object = typeof reply === 'string' ? undefined : objectIn(reply.body)
  if (object === undefined) return unseen('Extra 2', 'There is no heartbeat that could show details.')
  if (object.details === undefined) return pass('Extra 2', 'Strangers see no details of the checks.')
  const advice = 'In production set DEEDBOX_HEALTH_TOKEN, and details: "authorised".'
  return warn('Extra 2', 'Strangers see the details of the checks.', advice)
}

function errorPage(reply: Reply): Finding {
  if (typeof reply === 'string') return unseen('Extra 3', `/__error__ does not answer: ${reply}.`)
  const { status } = reply
  if ([401, 403, 404, 405].includes(status))
    return pass('Extra 3', `/__error__ is closed to strangers: ${status}.`)
  if (status < 500 && status !== 200) return unseen('Extra 3', `/__error__ answers ${status}.`)
  return warn('Extra 3', `/__error__ answers ${status} to anybody.`, 'Ask for a token there.')
}

function paths({ heads, version, heartbeat, lbheartbeat, slash }: ServiceReplies): Finding[] {
  const gets = [version, heartbeat, lbheartbeat]
  const isServed = typeof lbheartbeat !== 'string' && lbheartbeat.status === 200
  if (!isServed) return [unseen('Extra 4', 'Without the endpoints, HEAD says nothing.')]
  const isOther = heads.some((head, i) => {
    const get = gets[i]!
    if (typeof get === 'string' || typeof head === 'string') return typeof get !== typeof head
    return head.status !== get.status && !(head.status >= 500 && get.status === 200)
  })
  const taken =
    typeof slash !== 'string' && slash.status === 200 ? 'is taken too' : 'is not taken, nor asked for'
  return passUnless(
    'Extra 4',
    [isOther ? warn('Extra 4', 'HEAD answers otherwise than GET.', 'Answer both alike.') : undefined],
    `HEAD answers as GET does; a slash at the end ${taken}.`,
  )
}

function objectIn(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function isJson(type: string): boolean {
  return /^application\/([\w.-]+\+)?json\b/i.test(type)
}

function isAddress(text: string): boolean {
  return /^(https?|ssh|git):\/\/\S+$|^git@[\w.-]+:\S+$/.test(text)
}

function short(text: string): string {
  const safe = text.replace(/\/\/[^/@\s]*@/, '//')
  return safe.length > 60 ? `${safe.slice(0, 57)}…` : safe
}

import { type Check, type CheckMessage, dockerflowIds, error } from '../../checks/index.ts'
import { errorName } from '../../safety/index.ts'
import { type BuiltInOptions, builtIn } from './built-in.ts'
import { ownText, shortened } from './error-line.ts'
import { hasMethods, notWhat } from './handed-over.ts'
import { type Attempt, oneAttempt } from './one-attempt.ts'

/** What the check needs of a client of `ioredis` or `redis`. */
export interface RedisCheckClient {
  ping(): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'ready' | 'close' | 'end', listener: () => void): unknown
  off(event: string, listener: (error: Error) => void): unknown
  /** Of `ioredis`: where its connection is. */
  readonly status?: string
  /** Of `redis`: whether commands are sent at once, and whether it connects again when it has to. */
  readonly isReady?: boolean
  readonly isOpen?: boolean
  /** Of `redis` 4 in its legacy mode: the same client, returning promises. */
  readonly v4?: { ping(): Promise<unknown> }
  connect?(): Promise<unknown>
}

/**
 * `check_redis_connected`: one PING on the service's own client. (DF-27, DF-28)
 * @param client of `ioredis` or of `redis`
 * @throws ConfigurationError for anything else
 */
export function redis(client: RedisCheckClient, options: BuiltInOptions = {}): Check {
  if (!hasMethods(client, 'ping', 'on', 'off'))
    throw notWhat('redis', 'a client of ioredis, or one of redis that createClient() returned', client)
  return builtIn(
    'redis',
    'check_redis_connected',
    options,
    oneAttempt(() => attempt(client)),
  )
}

/** Where a client is: it sends at once, it is about to connect, or it will not by itself. */
function stateOf({ status, isReady, isOpen }: RedisCheckClient): 'ready' | 'opening' | 'closed' {
  if (typeof isOpen === 'boolean') {
    if (!isOpen) return 'closed'
    return isReady === false ? 'opening' : 'ready'
  }
  if (status === undefined || status === 'ready') return 'ready'
  return status === 'end' ? 'closed' : 'opening'
}

/**
 * A PING is sent on an open connection alone: in the queue of a client without one it would wait far longer than the check
 * may take. What the client says meanwhile of its connection is heard, by which no error of it is left unheard, either.
 */
function attempt(client: RedisCheckClient): Attempt {
  const { promise: told, resolve: tell } = Promise.withResolvers<CheckMessage[]>()
  let isSent = false
  const send = (): void => {
    if (isSent) return
    isSent = true
    const answered = (client.v4 ?? client).ping()
    answered.then(
      answer => tell(/^pong/i.test(String(answer)) ? [] : [pingFailed()]),
      thrown => tell(redisMessages(thrown)),
    )
  }
  const ready = (): void => {
    try {
      send()
    } catch (thrown) {
      tell(redisMessages(thrown))
    }
  }
  const failed = (thrown: Error): void => tell(redisMessages(thrown))
  const closed = (): void => tell([notConnected('the connection was closed')])
  client.on('error', failed)
  client.on('ready', ready)
  client.on('close', closed)
  client.on('end', closed)
  const unlisten = (): void => {
    client.off('error', failed)
    client.off('ready', ready)
    client.off('close', closed)
    client.off('end', closed)
  }
  const state = stateOf(client)
  if (state === 'ready') ready()
  else if (state === 'closed')
    tell([notConnected('the client is closed', 'Connect it: await client.connect().')])
  // One that connects when it is needed first; it says as an event what comes of it.
  else if (client.status === 'wait') client.connect?.().catch(() => undefined)
  return {
    found: told.finally(unlisten),
    late(milliseconds) {
      const seconds = `${(milliseconds / 1_000).toFixed(1)} s`
      if (isSent) return [notConnected(`the server has not answered PING for ${seconds}`, silent)]
      // Nothing was sent: the next round may begin anew.
      tell([])
      return [notConnected(`no connection for ${seconds}`, silent)]
    },
  }
}

const silent = 'Packets may be dropped on the way (a firewall, a wrong address), or the server is overloaded.'

function notConnected(text: string, hint?: string): CheckMessage {
  return error(`Could not connect to Redis: ${text}`, { id: dockerflowIds.cannotConnectRedis, hint })
}

function pingFailed(): CheckMessage {
  return error('Redis ping failed: the answer was not PONG', { id: dockerflowIds.redisPingFailed })
}

/** What the server answers, as opposed to what happens on the way to it, begins with a word in capitals. */
function redisMessages(thrown: unknown): CheckMessage[] {
  const text = shortened(ownText(thrown))
  const [, word = ''] = /^([A-Z]{3,}) /.exec(text) ?? []
  const isReply =
    word !== '' || ['ReplyError', 'ErrorReply', 'SimpleError', 'BlobError'].includes(errorName(thrown))
  if (isReply) {
    const told = Object.hasOwn(replies, word) ? `${word} ${replies[word]}` : text
    return [error(`Redis error: ${told}`, { id: dockerflowIds.redisError, hint: hints[word] })]
  }
  if (thrown instanceof TypeError || thrown instanceof RangeError)
    return [error(`Redis error: ${text}`, { id: dockerflowIds.redisError })]
  return [notConnected(text, text.includes('ECONNREFUSED') ? hints.ECONNREFUSED : undefined)]
}

/** In place of what the server answers, which names the user. */
const replies: Readonly<Record<string, string>> = {
  NOPERM: 'the user may not use the command PING',
  WRONGPASS: 'the server refused user or password',
}

const hints: Readonly<Record<string, string>> = {
  NOAUTH: 'Give the client the password of the server.',
  WRONGPASS: 'Look at user and password of the client.',
  NOPERM: 'Allow the user the command PING.',
  LOADING: 'The server is starting, and reads its data.',
  ECONNREFUSED: 'Nothing listens there. Is the server running, and are host and port right?',
}

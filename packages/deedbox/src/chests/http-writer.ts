import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { ConfigurationError, errorMessage } from '../safety/index.ts'
import { type Chest, ChestError, type ChestErrorCode, type ContextEntry } from '../tracking/index.ts'
import { byRecord } from './by-record.ts'
import { checkedName, checkWhole, chestParts } from './chest-options.ts'
import { connectionProblem } from './http-connection.ts'
import type { HttpWriterOptions } from './http-options.ts'
import { type HttpAnswer, post } from './http-post.ts'
import { httpTarget } from './http-target.ts'

/** Why one request was not taken. */
interface Failure {
  readonly code: Extract<ChestErrorCode, 'unavailable' | 'refused'>
  readonly problem: string
  readonly cause?: unknown
  readonly retryAfter?: number | undefined
}

/** Posts under way at once. */
const concurrentPosts = 5
/** So many requests in a row without an answer, or with one that is none, and the others wait as well. */
const givenUpAfter = 5
/** Requests of one write. Each is a post, and what a write may take has an end. */
const usualBatch = 25
/** Milliseconds in which a write comes back; what it has no time for is left for the next. */
const longestWrite = 25_000
/** Characters of an answer that a message repeats. */
const toldText = 300

const ownOptions = [
  ...['url', 'https', 'host', 'port', 'params', 'headers', 'payload', 'payloadGenerator'],
  ...['timeoutMs', 'successStatusCodes', 'verify', 'tls'],
]

/**
 * A chest that posts the variables of each request as JSON to a URL: `httpWriter('https://collector.example/vars')`.
 * `httpWriter()` posts to `http://localhost`. (FC-19, FC-20, FC-21)
 *
 * Each post has an `Idempotency-Key`, the same for every attempt. Answers about what was posted are final: 400, 409, 410, 413,
 * 415, 422, and 2xx that are no success. All others are about the place or about us, and are tried again, as no answer is.
 * @throws ConfigurationError
 */
export function httpWriter(place: string | URL | HttpWriterOptions = {}): Chest {
  const options: HttpWriterOptions =
    typeof place === 'string' || place instanceof URL ? { url: place } : place
  const { queue, logger, tags } = chestParts('httpWriter()', options, ownOptions)
  const target = httpTarget(options)
  const { url, hide } = target
  const isSuccess = successTest(options.successStatusCodes)
  const makePayload = payloadOf(options)
  const timeout = options.timeoutMs ?? 5_000
  checkWhole('httpWriter(): timeoutMs', options.timeoutMs, 1, 20_000)
  const id = `HTTP(name=${checkedName('httpWriter(): name', options.name, target.origin)})`
  const connections = { keepAlive: true, maxSockets: concurrentPosts }
  const agent =
    url.protocol === 'https:' ? new HttpsAgent({ ...connections, ...target.tls }) : new HttpAgent(connections)
  const headersOf = (entries: readonly ContextEntry[]): Readonly<Record<string, string>> => {
    const all = { ...entries[0]!.record.tags, ...tags }
    return {
      ...target.headers,
      ...(Object.keys(all).length === 0 ? {} : { 'Deedbox-Tags': asciiJson(all) }),
      'Idempotency-Key': keyOf(entries),
    }
  }
  /** What the server last said about our credentials or our URL. */
  let denied: string | undefined

  const failureOf = async (entries: readonly ContextEntry[]): Promise<Failure | undefined> => {
    let body: string
    try {
      body = jsonOf(makePayload(entries))
    } catch (error) {
      return {
        code: 'refused',
        problem: `the payload could not be made: ${hide(errorMessage(error))}`,
        cause: error,
      }
    }
    let answer: HttpAnswer
    try {
      answer = await post({ url, agent, timeout }, headersOf(entries), body)
    } catch (error) {
      return { code: 'unavailable', problem: `there was no answer: ${hide(reasonOf(error))}`, cause: error }
    }
    const { status, retryAfter } = answer
    const problem = `it answered ${status}${quoted(hide(answer.text))}`
    denied = isTurnedAway(status) && !isSuccess(status) ? problem : undefined
    if (isSuccess(status)) return undefined
    return { code: isFinal(status) ? 'refused' : 'unavailable', problem, retryAfter }
  }

  return {
    id,
    address: target.address,
    queue: { ...queue, batch: queue.batch ?? usualBatch },
    logger,
    async write(entries) {
      const requests = byRecord(entries)
      const taken = new Set<string>()
      const refused = new Set<string>()
      const failures: Failure[] = []
      const last = performance.now() + longestWrite - timeout
      let inVain = 0
      let next = 0
      const worker = async (): Promise<void> => {
        while (next < requests.length && inVain < givenUpAfter && performance.now() < last) {
          const request = requests[next++]!
          const { id: record } = request[0]!.record
          const failure = await failureOf(request)
          if (failure === undefined) taken.add(record)
          else failures.push(failure)
          if (failure?.code === 'refused') refused.add(record)
          if (failure?.code !== 'unavailable') inVain = 0
          // It asked to be left alone.
          else inVain = failure.retryAfter === undefined ? inVain + 1 : givenUpAfter
        }
      }
      await Promise.all(Array.from({ length: concurrentPosts }, worker))
      if (next < requests.length)
        failures.push({ code: 'unavailable', problem: 'it is too slow for so many' })
      const told = failures.find(({ code }) => code === 'refused') ?? failures[0]
      if (told === undefined) return
      const retryAfter = failures.find(failure => failure.retryAfter !== undefined)?.retryAfter
      throw new ChestError(told.code, id, told.problem, {
        retryAfter,
        taken,
        refused,
        ...('cause' in told ? { cause: told.cause } : {}),
      })
    },
    async check() {
      const problem = await connectionProblem(url, target.tls, timeout)
      if (problem !== undefined)
        return [
          {
            id: 'deedbox.chest.unreachable',
            level: 'error',
            message: `${id} cannot be reached: ${hide(problem)}`,
            hint: 'Is the URL right, and does the server run? A certificate that nobody vouches for goes into tls.ca.',
          },
        ]
      if (denied === undefined) return []
      const message = `${id} does not let us in: ${denied}`
      return [{ id: 'deedbox.chest.denied', level: 'error', message, hint: 'Are URL and credentials right?' }]
    },
    async close() {
      agent.destroy()
    },
  }
}

function successTest(codes: unknown): (status: number) => boolean {
  if (codes === undefined) return status => status >= 200 && status < 300
  if (!Array.isArray(codes) || codes.length === 0 || !codes.every(code => Number.isInteger(code)))
    throw new ConfigurationError('httpWriter(): successStatusCodes', 'a list of statuses is needed: [200].')
  return status => codes.includes(status)
}

function payloadOf({
  payload,
  payloadGenerator,
}: HttpWriterOptions): (entries: readonly ContextEntry[]) => unknown {
  if (payload && payloadGenerator)
    throw new ConfigurationError(
      'httpWriter(): payload',
      'it is the same as payloadGenerator. Use one of them.',
    )
  const make: unknown = payload ?? payloadGenerator ?? ((entries: readonly ContextEntry[]) => entries)
  if (typeof make !== 'function')
    throw new ConfigurationError('httpWriter(): payload', 'a function is needed that makes what is posted.')
  return make as (entries: readonly ContextEntry[]) => unknown
}

/** What a payload is as JSON; of a promise that would be `{}`, and the entries would be lost. */
function jsonOf(payload: unknown): string {
  if (payload instanceof Promise) {
    payload.catch(() => {})
    throw new TypeError('a promise is no payload; it has to be there at once')
  }
  const json = JSON.stringify(payload) as string | undefined
  if (json === undefined) throw new TypeError(`JSON cannot say ${typeof payload}`)
  return json
}

/** The same for every attempt, and another for another part of a request that was divided. */
function keyOf([first]: readonly ContextEntry[]): string {
  const { id, record } = first!
  const key = id === `${record.id}.0` ? record.id : id
  return /^[\x21-\x7e]+$/.test(key) ? key : encodeURIComponent(key.toWellFormed())
}

/** It is about what was posted. */
function isFinal(status: number): boolean {
  return [400, 409, 410, 413, 415, 422].includes(status) || (status >= 200 && status < 300)
}

/** It is about us or about the URL: a redirect, credentials, a place that is not there or takes no posts. */
function isTurnedAway(status: number): boolean {
  return (status >= 300 && status < 400) || [401, 403, 404, 405, 407, 421].includes(status)
}

function quoted(text: string): string {
  const line = text.replace(/[\s\p{C}]+/gu, ' ').trim()
  if (line === '') return ''
  return `: ${line.length > toldText ? `${line.slice(0, toldText).toWellFormed()}…` : line}`
}

/** Of several addresses that were tried, Node tells the code alone. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return errorMessage(error) || code
}

/** JSON that a header can hold. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

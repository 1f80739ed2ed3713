import type { ServerResponse } from 'node:http'
import type { RequestScope } from '../request/index.ts'
import { validationDetail } from '../safety/index.ts'

/**
 * What becomes of an error that the service leaves to its framework. `leave` (the default) changes nothing.
 * `answer` makes us answer in the framework's place, and silences what the framework would print. (Ruling 9, X-12)
 */
export type ErrorPolicy = 'leave' | 'answer'

/** What an adapter takes besides the instance. `Request` is what its framework hands to handlers. */
export interface AdapterOptions<Request> {
  /**
   * Who makes the request, for example `request => request.user?.id`; asked once, when the request is over. What it
   * throws costs the name of the user, nothing else. (DF-36)
   */
  readonly user?: (request: Request) => string | undefined
  /** An exception that nobody handles: `answer` sends 500 `Internal Server Error` as plain text. (FA-25) */
  readonly unhandled?: ErrorPolicy
  /** A validation error that nobody handles: `answer` sends 422 with `{ "detail": […] }`. (FA-24) */
  readonly validation?: ErrorPolicy
}

/** An answer that we give in a framework's place. */
export interface FailureAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** The answer to an error under the given options; `undefined` leaves it to the framework. */
export function failureAnswer(
  thrown: unknown,
  options: Pick<AdapterOptions<never>, 'unhandled' | 'validation'>,
): FailureAnswer | undefined {
  if (options.validation === 'answer') {
    const detail = validationDetail(thrown)
    if (detail !== undefined) {
      return { status: 422, contentType: 'application/json; charset=utf-8', body: detailBody(detail) }
    }
  }
  if (options.unhandled !== 'answer' || choosesStatus(thrown)) return undefined
  return { status: 500, contentType: 'text/plain; charset=utf-8', body: 'Internal Server Error' }
}

/** Headers that describe the content that was prepared; others, such as those of CORS, hold for any answer. */
const ofContent =
  /^(?:content-(?!security-policy).*|transfer-encoding|etag|last-modified|cache-control|expires|accept-ranges)$/

/** Sends an answer in the place of whatever was prepared, or cuts the connection if the response had begun. */
export function sendAnswer(response: ServerResponse, answer: FailureAnswer): void {
  if (response.writableEnded) return
  if (response.headersSent) {
    response.destroy()
    return
  }
  for (const name of response.getHeaderNames()) {
    if (ofContent.test(name)) response.removeHeader(name)
  }
  response.statusCode = answer.status
  // A reason phrase that was set for another status; HTTP/2 has none, and warns who asks.
  if (response.req?.httpVersionMajor === 1) response.statusMessage = ''
  response.setHeader('Content-Type', answer.contentType)
  response.end(answer.body)
}

/** Lets a scope ask the adapter's `user` option, with what the framework hands to handlers. */
export function identifyUser<Request>(
  scope: RequestScope,
  request: Request,
  options: AdapterOptions<Request>,
): void {
  const { user } = options
  if (user !== undefined) scope.identify(() => user(request))
}

/** Frameworks, parsers and services mark an error that means an answer of its own, a 404 or a 503, with its status. */
function choosesStatus(thrown: unknown): boolean {
  try {
    if (typeof thrown !== 'object' || thrown === null) return false
    const status: unknown = Reflect.get(thrown, 'status') ?? Reflect.get(thrown, 'statusCode')
    return typeof status === 'number' && status >= 400 && status < 600 && status !== 500
  } catch {
    return false
  }
}

function detailBody(detail: readonly unknown[]): string {
  try {
    return JSON.stringify({ detail })
  } catch {
    return '{"detail":[]}'
  }
}

/**
 * Whether a function's promise can be in nobody's hands but its caller's: then to look at how it settles, and to
 * reject anew, changes nothing. A promise that somebody else has made may be handled by him, and would not be for us.
 */
export function isAsyncFunction(work: unknown): boolean {
  return Object.prototype.toString.call(work) === '[object AsyncFunction]'
}

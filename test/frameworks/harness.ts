import type { Readable } from 'node:stream'
import type { Deedbox, TrackedInput } from 'deedbox'
import type { HealthOptions } from 'deedbox/health'
import type { HttpServer } from 'deedbox/http'

/** What the conformance suite tells the service, and hears from it. */
export interface Stage {
  /** Called by routes once they have got as far as they go before the suite acts. */
  arrived(path: string): void
  /** Called by `POST /listen` inside the request's own `end` listener. */
  inEndListener(): void
  /** Resolves when `GET /slow` may answer. */
  mayAnswer: Promise<void>
  /** Resolves when `GET /late` may fail, after its response has ended. */
  mayFailLate: Promise<void>
  /** Goes through timers, streams, emitters, a queue and a worker, and logs `<way> <n>` on each way. */
  wander(n: number): Promise<void>
  /** Reads an upload with listeners, logs `upload read`, and resolves to its length. */
  receive(upload: Readable): Promise<number>
  /** Logs values that throw when they are looked at, and gives an error whose causes form a circle. */
  hostileError(): Error
  /** The tracked routes, by name. */
  tracked: ReadonlyMap<string, TrackedRoute>
}

/** What a tracked route does. */
export interface TrackedRoute {
  /** What `tracked` is given. */
  readonly input: TrackedInput | undefined
  /** Sets variables, and resolves to the answer. */
  work(): Promise<object>
}

/**
 * How a route is tracked. `before`: `tracked(input)` stands in front of its handler, or decorates it. `around`:
 * `box.tracked(input, handler)` is its handler.
 */
export type TrackedForm = 'before' | 'around'

/** A running service. */
export interface Service {
  port: number
  /** What listens, so that the suite can attach to it. */
  server: HttpServer
  stop(): Promise<void>
}

/** How the suite wants the service this time. */
export interface ServiceOptions {
  /**
   * `once`: as the guide page shows it, with a `user` option that reads the header `x-user` from what the framework
   * hands to handlers. `twice`: a second observer of the same instance beside the first.
   * `late`: nothing observes but `attachServer(server, box)`, called when the server listens already.
   */
  attach: 'once' | 'twice' | 'late'
  /** The observer takes `{ unhandled: 'answer', validation: 'answer' }`. */
  answers: boolean
  /** Serve cleartext HTTP/2 instead of HTTP/1; asked for only where `http2` is true. */
  http2: boolean
  /**
   * Health endpoints, and behind them the service's own {@link import('./gate.ts').gate}, which is ahead of all routes.
   * `first`: the endpoints come before the observer, else right behind it.
   */
  health: { readonly options: HealthOptions; readonly first: boolean } | undefined
}

/** What of an answer is the framework's own affair. Each value is what the framework does without us. */
export interface FrameworkAnswers {
  /** Status of `PUT /ok`, which only GET serves. */
  readonly methodNotAllowed: number
  /** Status of `OPTIONS /ok`. */
  readonly options: number
  /** Status of `GET /orgs/%c0%ae/items/1`, a path that is no UTF-8. */
  readonly invalidUrl: number
  /** Status of a body that is malformed JSON, and whether the framework has an error for it. */
  readonly malformedJson: { readonly status: number; readonly hasError: boolean }
  /** Status of `POST /validated` with `{"a":"x"}`. */
  readonly invalidBody: number
}

/**
 * One framework under the conformance suite. A harness builds the same service with the framework's own means,
 * observed by `box` the way the framework's guide page shows it, and listens on a free port of 127.0.0.1.
 *
 * | route | does |
 * | --- | --- |
 * | `GET /ok` | answers 200 `{"ok":true}` |
 * | `GET /empty` | answers 204 |
 * | `GET /throw` | throws `new Error('sync failure')` before answering |
 * | `GET /reject` | rejects with `new Error('async failure')` after a turn of the loop |
 * | `GET /throw-text` | throws the text `not an Error` |
 * | `GET /before` | a middleware (hook, guard) ahead of the handler throws `new Error('failure before')` |
 * | `GET /after` | the handler is done but nothing is sent yet; what runs behind it (a later middleware, the way back, a hook, an interceptor) throws `new Error('failure after')` |
 * | `GET /hang` | calls `stage.arrived` and never answers |
 * | `GET /slow` | calls `stage.arrived`, waits for `stage.mayAnswer`, answers 200 |
 * | `GET /stream` | sends headers and `first`, calls `stage.arrived`, and never ends |
 * | `GET /broken-stream` | sends headers and `first`, then fails with `new Error('stream failure')` |
 * | `GET /piped` | answers 200 with a `Readable` of 16 chunks of 65,536 bytes, no content-length |
 * | `GET /sse` | server-sent events: `data: 1`, `data: 2`, `data: 3`, a turn of the loop between them, then the end |
 * | `GET /late` | answers 200, and fails with `new Error('late failure')` once `stage.mayFailLate` resolves |
 * | `POST /json` | parses the body as JSON with the framework's parser and answers it back |
 * | `POST /validated` | the framework's own validation of `{ a: integer }` (or zod, ajv where it has none); answers 200 or its own error |
 * | `POST /listen` | reads the body with `data` and `end` listeners, logs `body read` in `end`, answers 200 |
 * | `POST /upload` | calls `stage.arrived`, then answers `{"length":await stage.receive(raw request)}` |
 * | `POST /unread` | answers 200 without reading the body |
 * | `GET /orgs/:org/items/:item` | on routers nested two levels deep; answers 200 |
 * | `GET /named/:n` | names its event `named.<n>`, sets `n`, waits a turn of the loop, logs `in <n>`, answers `n` |
 * | `GET /wander/:n` | awaits `stage.wander(n)`, answers 200 |
 * | `GET /hostile` | throws `stage.hostileError()` |
 * | `GET /redirect` | answers 302 to `/ok` |
 * | `GET`, `POST`, `PUT /tracked/<name>/<form>` | answers, as JSON, what `work` of the tracked route resolves to |
 * | `GET /health`, `GET /healthz` | on the default skip list: answers 200; throws `new Error('sick')` |
 *
 * Errors are left to the framework's default handling; what it prints about them is silenced by the framework's
 * own means. Where a framework has no parser or no validation, the harness does what a service of it would.
 */
export interface FrameworkHarness {
  /** Stands in the titles: name and major version. */
  readonly name: string
  /** The routes' templates are known to the framework, so that event names and records carry them. */
  readonly knowsRoutes: boolean
  /** How the framework writes a template such as `/named/:n`, if otherwise. */
  readonly template?: (template: string) => string
  /** The framework serves HTTP/2. */
  readonly http2: boolean
  /** `false`: the framework lets nobody answer in its place, so the observer has no options for it. */
  readonly answersInPlace?: false
  readonly answers: FrameworkAnswers
  /** The forms of tracked routes that it has. */
  readonly trackedForms: readonly TrackedForm[]
  start(box: Deedbox, stage: Stage, options: ServiceOptions): Promise<Service>
}

import type { Deedbox } from 'deedbox'

/** What the conformance suite tells the service, and hears from it. */
export interface Stage {
  /** Called by `GET /hang` and `GET /stream` once they have got as far as they go. */
  arrived(path: string): void
  /** Called by `POST /listen` inside the request's own `end` listener. */
  inEndListener(): void
  /** Resolves when `GET /late` may fail, after its response has ended. */
  mayFailLate: Promise<void>
}

/** A running service. */
export interface Service {
  port: number
  stop(): Promise<void>
}

/**
 * One framework under the conformance suite. A harness builds the same service with the framework's own means,
 * observed by `box` the way the framework's guide page shows it, and listens on a free port of 127.0.0.1.
 *
 * | route | does |
 * | --- | --- |
 * | `GET /ok` | answers 200 `{"ok":true}` |
 * | `GET /throw` | throws `new Error('sync failure')` before answering |
 * | `GET /reject` | rejects with `new Error('async failure')` after a turn of the loop |
 * | `GET /throw-text` | throws the text `not an Error` |
 * | `GET /hang` | calls `stage.arrived` and never answers |
 * | `GET /stream` | sends headers and `first`, calls `stage.arrived`, and never ends |
 * | `GET /broken-stream` | sends headers and `first`, then fails with `new Error('stream failure')` |
 * | `GET /late` | answers 200, and fails with `new Error('late failure')` once `stage.mayFailLate` resolves |
 * | `POST /json` | parses the body as JSON with the framework's parser and answers it back; 400 if it is malformed |
 * | `POST /listen` | reads the body with `data` and `end` listeners, logs `body read` in `end`, answers 200 |
 * | `POST /unread` | answers 200 without reading the body |
 * | `GET /orgs/:org/items/:item` | on routers nested two levels deep; answers 200 |
 * | `GET /named/:n` | names its event `named.<n>`, sets `n`, waits a turn of the loop, logs `in <n>`, answers `n` |
 * | `GET /redirect` | answers 302 to `/ok` |
 * | `GET /health`, `GET /healthz` | on the default skip list: answers 200; throws `new Error('sick')` |
 */
export interface FrameworkHarness {
  /** Stands in the titles: name and major version. */
  name: string
  /** The routes' templates are known to the framework, so that event names and records carry them. */
  knowsRoutes: boolean
  /** A second observer attached to the same service must count once. */
  start(box: Deedbox, stage: Stage, options: { attachTwice: boolean }): Promise<Service>
}

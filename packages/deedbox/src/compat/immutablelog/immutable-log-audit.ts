import type { Audited, EventKind } from '../../audit/index.ts'
import type { Deedbox } from '../../instance.ts'
import { type AppShape, attachApp, shapeOf, shareAt } from './attach-app.ts'
import { auditedBy, type FunctionDecorator, type FunctionOptions, functionDecorator } from './audit-log.ts'
import { originalBox } from './original-box.ts'
import {
  readOptions,
  type ServiceOptions,
  type ServiceSettings,
  type Spellings,
  serviceSpellings,
} from './original-options.ts'

/** What {@link ImmutableLogAudit} takes: the options of both originals of that name. (IF-02, IP-13) */
export interface ImmutableLogOptions extends ServiceOptions {
  /** An Express, Fastify, Koa, Hono or Nest application, or a server of `node:http`, to attach to at once. (IF-04) */
  readonly app?: object | null | undefined
}

const spellings: Spellings<keyof ServiceSettings | 'app'> = { ...serviceSpellings, app: ['any', 'app'] }

/** Names that the originals give a service that gives itself none. */
const serviceNames: Readonly<Partial<Record<AppShape, string>>> = {
  express: 'express-service',
  fastify: 'fastify-service',
  nest: 'nestjs-service',
}

/**
 * Both classes that have this name in the original service's guides: the one that watches an application
 * (`initApp`), and the one that watches functions (`log`). (IF-02 … IF-04, IP-13, ruling 2)
 */
export class ImmutableLogAudit {
  /** The instance that does the work. */
  readonly box: Deedbox
  readonly #audited: Audited
  readonly #attached = new WeakSet<object>()

  /** @throws ConfigurationError naming the option or variable at fault */
  constructor(options: ImmutableLogOptions = {}) {
    const { app, ...service } = readOptions(options, spellings, 'ImmutableLogAudit') as ServiceSettings & {
      readonly app?: object
    }
    const shape = app === undefined ? undefined : shapeOf(app)
    const name = (shape === undefined ? undefined : serviceNames[shape]) ?? 'node-service'
    this.box = originalBox(service, name).box
    this.#audited = auditedBy(this.box)
    if (app !== undefined) this.attach(app)
  }

  /**
   * Watches the requests of an application, or of a server of `node:http`, from now on. One audit may watch many;
   * attached twice counts once. An application's `locals`, a Fastify instance or a Koa context has it as
   * `immutablelog` then. (IF-04)
   * @throws ConfigurationError for what is no application
   */
  attach(app: object): void {
    const shape = shapeOf(app)
    if (this.#attached.has(app)) return
    this.#attached.add(app)
    attachApp(app, shape, this.box)
    shareAt(app, shape, this)
  }

  /** {@link attach}, under the original's name. */
  initApp(app: object): void {
    this.attach(app)
  }

  /**
   * Makes one event of each call of a function, sync or async: `audit.log('payment.process', 'success')(pay)`, or above
   * a method. Default name `fn.<module>.<name>`, default kind `info`. (IP-13)
   * @throws ConfigurationError naming the option at fault
   */
  log(eventName?: string | FunctionOptions, kind?: EventKind): FunctionDecorator {
    const given = typeof eventName === 'object' ? eventName : { eventName, kind }
    return functionDecorator(this.#audited, given, this.log, 'log()')
  }
}

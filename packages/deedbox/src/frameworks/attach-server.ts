import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Deedbox } from '../instance.ts'
import { type Internals, internalsOf } from '../internals.ts'
import { type Lifecycle, type RequestScope, runInScope } from '../request/index.ts'

/** A server of `node:http`, `https`, `http2`, or what looks like one. */
export type HttpServer = Pick<EventEmitter, 'emit' | 'listenerCount'>

/** What one instance does at one server. */
interface Attachment {
  readonly internals: Internals
  active: boolean
}

/** Answers a request itself, and says whether it does. */
export type ServerAnswerer = (request: IncomingMessage, response: ServerResponse) => boolean

/** What a server carries once something is attached to it. */
interface Attached {
  readonly emit: EventEmitter['emit']
  readonly attachments: Attachment[]
  readonly answerers: Set<ServerAnswerer>
}

const attachedKey: unique symbol = Symbol('deedbox.server') as never

interface AttachedServer extends HttpServer {
  [attachedKey]?: Attached
}

/**
 * Observes a server itself, beside or instead of an adapter: everything that it takes in has a record, also what
 * no middleware sees: malformed requests (400, 408, 431), upgrades and CONNECT, and what a framework answers ahead
 * of its hooks. May be called at any time, also while the server listens; attached twice counts once. It wraps
 * `emit` and adds no listener, because Node behaves differently once there is one. (Rulings 4 and 5)
 * @returns how to undo it: requests that come afterwards are not observed
 */
export function attachServer(server: HttpServer, box: Deedbox): () => void {
  const internals = internalsOf(box)
  const observed: AttachedServer = server
  observed[attachedKey] ??= wrap(observed)
  const { attachments } = observed[attachedKey]
  let attachment = attachments.find(each => each.internals.identity === internals.identity)
  if (attachment === undefined) {
    attachment = { internals, active: true }
    attachments.push(attachment)
  }
  attachment.active = true
  return () => {
    attachment.active = false
  }
}

/**
 * Has a server ask us first: what `answer` takes never gets to its listeners.
 * @returns how to undo it
 */
export function answerAtServer(server: HttpServer, answer: ServerAnswerer): () => void {
  const answering: AttachedServer = server
  answering[attachedKey] ??= wrap(answering)
  const { answerers } = answering[attachedKey]
  answerers.add(answer)
  return () => void answerers.delete(answer)
}

function wrap(server: AttachedServer): Attached {
  const attached: Attached = { emit: server.emit, attachments: [], answerers: new Set() }
  server.emit = function (this: HttpServer, event: string | symbol, ...values: unknown[]): boolean {
    const emit = (): boolean => attached.emit.call(this, event, ...values)
    switch (event) {
      case 'request':
      case 'checkContinue':
      case 'checkExpectation':
        return inScopes(
          attached,
          at => at.begin(...(values as Parameters<Lifecycle['begin']>)),
          () => isAnswered(attached, values as Parameters<ServerAnswerer>) || emit(),
        )
      case 'upgrade':
      case 'connect':
        // The head, what came with the request already, is the listeners' affair.
        return inScopes(
          attached,
          at => at.beginUpgrade(...(values as Parameters<Lifecycle['beginUpgrade']>)),
          emit,
        )
      case 'clientError': {
        const [error, socket] = values as [unknown, Duplex]
        const isNodes = this.listenerCount('clientError') === 0
        if (!isAnswering(socket)) {
          for (const { internals, active } of attached.attachments)
            if (active) internals.lifecycle.malformed(error, socket, isNodes)
        }
        return emit()
      }
      default:
        return emit()
    }
  }
  return attached
}

function isAnswered({ answerers }: Attached, exchange: Parameters<ServerAnswerer>): boolean {
  for (const answer of answerers) if (answer(...exchange)) return true
  return false
}

/** Runs the server's listeners in the scopes that the attached instances open, the first one outermost. */
function inScopes(
  { attachments }: Attached,
  open: (lifecycle: Lifecycle) => RequestScope,
  emit: () => boolean,
): boolean {
  let innermost: RequestScope | undefined
  for (const { internals, active } of attachments) if (active) innermost = open(internals.lifecycle)
  if (innermost === undefined) return emit()
  const scope = innermost
  try {
    return runInScope(scope, emit)
  } catch (thrown) {
    for (let each: RequestScope | undefined = scope; each !== undefined; each = each.outer) each.fail(thrown)
    throw thrown
  }
}

/**
 * Whether a request of this connection is being answered: what happens then is that request's, and it knows. Node
 * keeps the response under way at the socket. To keep it ourselves would keep the last one for as long as the
 * connection is idle.
 */
function isAnswering(socket: object): boolean {
  const response: unknown = Reflect.get(socket, '_httpMessage')
  return (
    typeof response === 'object' && response !== null && Reflect.get(response, 'writableFinished') !== true
  )
}

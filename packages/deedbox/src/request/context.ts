import { AsyncLocalStorage } from 'node:async_hooks'
import type { EventEmitter } from 'node:events'
import type { RequestScope } from './scope.ts'

/** Package managers and bundlers may load this package twice; both copies must see the same requests. (Ruling 3) */
const key: unique symbol = Symbol.for('deedbox.context.1') as never

interface Shared {
  [key]?: AsyncLocalStorage<RequestScope>
}

const shared = globalThis as Shared
shared[key] ??= new AsyncLocalStorage<RequestScope>()
const storage: AsyncLocalStorage<RequestScope> = shared[key]

/** The innermost scope of the running code, whichever instance opened it. */
export function currentScope(): RequestScope | undefined {
  return storage.getStore()
}

/** The innermost scope that the given instance opened around the running code. */
export function scopeOfBox(box: object): RequestScope | undefined {
  let scope = storage.getStore()
  while (scope !== undefined && scope.box !== box) scope = scope.outer
  return scope
}

/** Runs a function, and everything it starts, inside a scope. */
export function runInScope<Values extends unknown[], Result>(
  scope: RequestScope,
  work: (...values: Values) => Result,
  ...values: Values
): Result {
  return storage.run(scope, work, ...values)
}

/**
 * Runs work that serves many requests, and is none's, outside of all scopes. What it starts, timers and connections
 * as well, would otherwise belong to the one request in which it happened to begin.
 */
export function runOutside<Values extends unknown[], Result>(
  work: (...values: Values) => Result,
  ...values: Values
): Result {
  return storage.run(undefined as never, work, ...values)
}

/** A function that always runs in the scope that is current now, whoever calls it, and whenever. */
export function bindToScope<Values extends unknown[], Result>(
  work: (...values: Values) => Result,
): (...values: Values) => Result {
  const scope = storage.getStore()
  return scope === undefined ? work : (...values) => storage.run(scope, work, ...values)
}

/** Who watches what an emitter emits, without being one of its listeners. */
export interface EmitterWatcher {
  /** Called before the listeners run. */
  emitting(emitter: EventEmitter, event: string | symbol, argument: unknown): void
  /** Called after the listeners of `close` ran, also when one of them threw. */
  closed(emitter: EventEmitter): void
}

/** What a bound emitter carries; the bindings of several instances form a chain. */
interface Binding {
  readonly emit: EventEmitter['emit']
  readonly scope: RequestScope
  readonly watcher: EmitterWatcher
  readonly outer: Binding | undefined
  /** Listeners of `finish` that were there before the service ran: Node's own, which need no scope. */
  readonly finishers: number
}

const bindingKey: unique symbol = Symbol('deedbox.binding') as never

interface Bound extends EventEmitter {
  [bindingKey]?: Binding
}

/**
 * Makes all listeners of a request or response run inside its scope: Node emits many of their events from the
 * socket's own context, where the scope is lost (node-observability §5.1). Watching `emit` adds no listener, so
 * it neither starts the flow of a stream nor counts as handling an `error`.
 *
 * All emitters share one function. A closure for each would keep finished requests alive from one minor
 * collection to the next: assigned to a property, V8 was measured to let it outlive its request.
 */
export function bindEmitter(emitter: EventEmitter, scope: RequestScope, watcher: EmitterWatcher): void {
  const bound: Bound = emitter
  const outer = bound[bindingKey]
  bound[bindingKey] = {
    emit: outer?.emit ?? emitter.emit,
    scope,
    watcher,
    outer,
    finishers: outer?.finishers ?? emitter.listenerCount('finish'),
  }
  if (outer === undefined) emitter.emit = emitInScope
}

/** No parameter is collected that need not be: this runs for each event of each request. */
function emitInScope(this: Bound, event: string | symbol, first?: unknown, ...rest: unknown[]): boolean {
  const binding = this[bindingKey]!
  for (let each: Binding | undefined = binding; each !== undefined; each = each.outer) {
    each.watcher.emitting(this, event, first)
  }
  try {
    if (!isHeard(this, binding, event) || isInside(binding.scope))
      return emitBound(this, binding, event, first, rest)
    return storage.run(binding.scope, emitBound, this, binding, event, first, rest)
  } finally {
    if (event === 'close') {
      for (let each: Binding | undefined = binding; each !== undefined; each = each.outer)
        each.watcher.closed(this)
    }
  }
}

/** Whether listeners of the service hear an event; entering a scope costs more than all else here. */
function isHeard(emitter: EventEmitter, { finishers }: Binding, event: string | symbol): boolean {
  const listeners = emitter.listenerCount(event)
  if (event === 'finish') return listeners > finishers
  // Node adds a listener of its own to let go of a request whose response was there first.
  if (event === 'end' && listeners === 1) return emitter.rawListeners(event)[0]?.name !== 'clearIncoming'
  return listeners > 0
}

function emitBound(
  emitter: EventEmitter,
  binding: Binding,
  event: string | symbol,
  first: unknown,
  rest: readonly unknown[],
): boolean {
  if (rest.length > 0) return binding.emit.call(emitter, event, first, ...rest)
  return first === undefined ? binding.emit.call(emitter, event) : binding.emit.call(emitter, event, first)
}

function isInside(scope: RequestScope): boolean {
  let inner = storage.getStore()
  while (inner !== undefined && inner !== scope) inner = inner.outer
  return inner === scope
}

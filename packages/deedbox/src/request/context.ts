import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
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
  /** Called before the listeners run of these events. */
  emitting(emitter: EventEmitter, event: 'data' | 'end' | 'error', argument: unknown): void
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

const { emit: emitOfNode } = EventEmitter.prototype
/** A property and not a WeakMap: with tens of thousands of short-lived keys a second those cost more than all else here. */
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

/** The scope in which an emitter was bound last: the innermost one that was opened for it. */
export function boundScope(emitter: EventEmitter): RequestScope | undefined {
  return (emitter as Bound)[bindingKey]?.scope
}

/**
 * This runs seven times for each request. Parameters that are collected are an array each time, so it is only for
 * events with more of them than any of Node's has here.
 */
function emitInScope(this: Bound, event: string | symbol, first?: unknown, second?: unknown): boolean {
  const binding = this[bindingKey]!
  if (event === 'data' || event === 'end' || event === 'error') {
    for (let each: Binding | undefined = binding; each !== undefined; each = each.outer)
      each.watcher.emitting(this, event, first)
  }
  // biome-ignore lint/complexity/noArguments: their number alone makes no array
  const count = arguments.length
  // biome-ignore lint/complexity/noArguments: as above
  if (count > 3) return Reflect.apply(emitMany, this, arguments)
  if (event !== 'close') return emitHeard(this, binding, event, count, first, second)
  try {
    return emitHeard(this, binding, event, count, first, second)
  } finally {
    tellClosed(this, binding)
  }
}

function emitMany(this: Bound, event: string | symbol, ...values: unknown[]): boolean {
  const binding = this[bindingKey]!
  const work = (): boolean => binding.emit.call(this, event, ...values)
  try {
    return isInside(binding.scope) ? work() : storage.run(binding.scope, work)
  } finally {
    if (event === 'close') tellClosed(this, binding)
  }
}

function tellClosed(emitter: EventEmitter, binding: Binding): void {
  for (let each: Binding | undefined = binding; each !== undefined; each = each.outer)
    each.watcher.closed(emitter)
}

/** Enters the scope for those events that listeners of the service hear: entering costs more than all else here. */
function emitHeard(
  emitter: EventEmitter,
  binding: Binding,
  event: string | symbol,
  count: number,
  first: unknown,
  second: unknown,
): boolean {
  const listeners = emitter.listenerCount(event)
  if (listeners === 0) {
    // Node's own does nothing then, but throw an error that nobody takes; somebody else's may have to be told.
    if (binding.emit === emitOfNode && event !== 'error') return false
  } else if (!isOwnOfNode(emitter, binding, event, listeners) && !isInside(binding.scope)) {
    return storage.run(binding.scope, emitBound, emitter, binding, event, count, first, second)
  }
  return emitBound(emitter, binding, event, count, first, second)
}

/** Node's listener that lets go of a request whose response was there first: one function for all of them. */
let clearIncoming: unknown

/** Whether the only listeners of an event are those that Node has put there itself; they need no scope. */
function isOwnOfNode(
  emitter: EventEmitter,
  { finishers }: Binding,
  event: string | symbol,
  listeners: number,
): boolean {
  if (event === 'finish') return listeners <= finishers
  if (event !== 'end' || listeners !== 1) return false
  const [listener] = emitter.rawListeners(event)
  if (listener === clearIncoming) return true
  if (listener?.name !== 'clearIncoming') return false
  clearIncoming = listener
  return true
}

/** @param count how many parameters `emit` was called with, the name of the event among them */
function emitBound(
  emitter: EventEmitter,
  binding: Binding,
  event: string | symbol,
  count: number,
  first: unknown,
  second: unknown,
): boolean {
  if (count < 2) return binding.emit.call(emitter, event)
  if (count === 2) return binding.emit.call(emitter, event, first)
  return binding.emit.call(emitter, event, first, second)
}

function isInside(scope: RequestScope): boolean {
  let inner = storage.getStore()
  while (inner !== undefined && inner !== scope) inner = inner.outer
  return inner === scope
}

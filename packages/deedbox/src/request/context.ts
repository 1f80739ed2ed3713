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
export function runInScope<Result>(scope: RequestScope, work: () => Result): Result {
  return storage.run(scope, work)
}

/** Who watches what an emitter emits, without being one of its listeners. */
export interface EmitterWatcher {
  /** Called before the listeners run. */
  emitting(emitter: EventEmitter, event: string | symbol, argument: unknown): void
  /** Called after the listeners of `close` ran, also when one of them threw. */
  closed(emitter: EventEmitter): void
}

/**
 * Makes all listeners of a request or response run inside its scope: Node emits many of their events from the
 * socket's own context, where the scope is lost (node-observability §5.1). Watching `emit` adds no listener, so
 * it neither starts the flow of a stream nor counts as handling an `error`.
 */
export function bindEmitter(emitter: EventEmitter, scope: RequestScope, watcher: EmitterWatcher): void {
  const emit = emitter.emit
  emitter.emit = function emitInScope(this: EventEmitter, event: string | symbol, ...values: unknown[]) {
    watcher.emitting(emitter, event, values[0])
    try {
      if (emitter.listenerCount(event) === 0 || isInside(scope)) return emit.call(this, event, ...values)
      return storage.run(scope, () => emit.call(this, event, ...values))
    } finally {
      if (event === 'close') watcher.closed(emitter)
    }
  }
}

function isInside(scope: RequestScope): boolean {
  let inner = storage.getStore()
  while (inner !== undefined && inner !== scope) inner = inner.outer
  return inner === scope
}

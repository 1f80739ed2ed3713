import { AsyncLocalStorage } from 'node:async_hooks'
import { joined, type LogFields } from './fields.ts'

/** Copies of this package see the same fields. (Ruling 3) */
const key: unique symbol = Symbol.for('deedbox.context-fields.1') as never

interface Shared {
  [key]?: { readonly storage: AsyncLocalStorage<LogFields>; isUsed: boolean }
}

const shared = globalThis as Shared
shared[key] ??= { storage: new AsyncLocalStorage<LogFields>(), isUsed: false }
const context = shared[key]

/** The fields that {@link withContext} put on all lines of the running code. */
export function contextFields(): LogFields | undefined {
  return context.isUsed ? context.storage.getStore() : undefined
}

/** Runs work that is no part of the running code's own, without the fields of its context. */
export function withoutContext<Result>(work: () => Result): Result {
  return context.isUsed ? context.storage.run({}, work) : work()
}

/**
 * Runs a function, and all that it starts, so that each line written meanwhile carries these fields, in any logger
 * and instance. Inner fields stand before outer ones of the same name, and a log call's own before both. Afterwards
 * all is as it was. (FA-47)
 */
export function withContext<Result>(fields: object, work: () => Result): Result {
  context.isUsed = true
  const outer = context.storage.getStore()
  return context.storage.run(outer === undefined ? { ...fields } : joined(outer, fields as LogFields), work)
}

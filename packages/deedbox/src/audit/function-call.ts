import { types } from 'node:util'
import { type Failure, monotonicNow, toSeconds, wallMicroseconds } from '../request/index.ts'
import type { FunctionRecord } from './function-event.ts'
import type { EventKind } from './ledger-client.ts'

/** What was settled about an audited function when it was wrapped. */
export interface FunctionFacts {
  readonly eventName: string
  readonly kind: EventKind
  readonly service: string | undefined
  readonly module: string
  readonly name: string
  readonly fields: Description | undefined
  readonly details: Description | undefined
}

/** A function of the service that describes a call. */
type Description = (call: AuditedCall) => unknown

/** A finished call, as `fields` and `details` of the options see it. */
export interface AuditedCall<Arguments extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** What the function was called with, as it is now. */
  readonly args: Arguments
  /** What it returned, what its promise was fulfilled with, or what its generator returned in the end. */
  readonly result?: Result
  /** What it threw, or its promise was rejected with. */
  readonly error?: unknown
}

/** What a call needs of the instance whose event it makes. */
export interface CallAuditor {
  /** The id of the current request or job, else a new one. */
  requestId(): string
  /** Makes the event of a call and hands it over; never throws. */
  function(record: FunctionRecord): void
  /** Says that `fields` or `details` of an audited function could not be used. */
  undescribed(eventName: string, option: 'fields' | 'details', error: unknown): void
}

/** Any function. */
export type AnyFunction = (...args: never[]) => unknown

/** A function as it is called: with any `this` and any arguments. */
export type Callable = (this: unknown, ...args: unknown[]) => unknown

/** What is settled about a function, from its options and its names. */
export function factsOf(
  how: Omit<Partial<FunctionFacts>, 'name'>,
  module: string,
  name: string,
): FunctionFacts {
  return {
    eventName: how.eventName ?? `fn.${module}.${name}`,
    kind: how.kind ?? 'info',
    service: how.service,
    module,
    name,
    fields: how.fields,
    details: how.details,
  }
}

/**
 * The function, each call of it watched. A proxy and not a function around it: name, length, own members and prototype
 * are the function's, also when they change.
 */
export function watched(
  work: Callable,
  facts: (self: unknown) => FunctionFacts,
  instance: () => CallAuditor | undefined,
): Callable {
  const proxy: Callable = new Proxy(work, {
    apply(target, self, args: unknown[]) {
      const auditor = instance()
      if (auditor === undefined) return Reflect.apply(target, self, args)
      const call = new FunctionCall(auditor, facts(self), args)
      let result: unknown
      try {
        result = Reflect.apply(target, self, args)
      } catch (thrown) {
        call.failed(thrown)
        throw thrown
      }
      return call.returned(result)
    },
    construct(target, args: unknown[], made) {
      const origin = made === proxy ? target : made
      const auditor = instance()
      if (auditor === undefined) return Reflect.construct(target, args, origin)
      const call = new FunctionCall(auditor, facts(undefined), args)
      let result: object
      try {
        result = Reflect.construct(target, args, origin)
      } catch (thrown) {
        call.failed(thrown)
        throw thrown
      }
      call.constructed(result)
      return result
    },
  })
  copyMetadata(work, proxy)
  return proxy
}

interface MetadataStore {
  getOwnMetadataKeys?(target: object): unknown[]
  getOwnMetadata?(key: unknown, target: object): unknown
  defineMetadata?(key: unknown, value: unknown, target: object): void
}

/** `reflect-metadata` keeps what decorators tell by function: Nest finds its routes there. */
export function copyMetadata(from: object, to: object): void {
  const store = Reflect as unknown as MetadataStore
  for (const key of store.getOwnMetadataKeys?.(from) ?? [])
    store.defineMetadata?.(key, store.getOwnMetadata?.(key, from), to)
}

const nothing: readonly unknown[] = []

/** One call of an audited function, from its start to the one event of its end. */
export class FunctionCall {
  readonly #auditor: CallAuditor
  readonly #facts: FunctionFacts
  readonly #args: readonly unknown[]
  readonly #requestId: string
  readonly #start: number
  readonly #startedAt: number
  #items: number | null = null
  #over = false

  constructor(auditor: CallAuditor, facts: FunctionFacts, args: readonly unknown[]) {
    this.#auditor = auditor
    this.#facts = facts
    // Nobody else keeps them alive as long as a promise or a generator takes.
    this.#args = facts.fields === undefined && facts.details === undefined ? nothing : args
    this.#requestId = auditor.requestId()
    this.#start = monotonicNow()
    this.#startedAt = wallMicroseconds(this.#start)
  }

  /** The function threw. */
  failed(thrown: unknown): void {
    this.#end({ thrown }, undefined)
  }

  /** The function was called with `new`. */
  constructed(result: object): void {
    this.#end(null, result)
  }

  /** The function returned: that was its end, or the end is still watched for. Returns what the caller gets. */
  returned(result: unknown): unknown {
    if (typeof result === 'object' && result !== null) {
      if (types.isPromise(result)) return this.#watchPromise(result)
      if (types.isGeneratorObject(result)) return this.#watchGenerator(result as unknown as AnyGenerator)
    }
    this.#end(null, result)
    return result
  }

  /**
   * A plain promise is answered by one that settles alike: had we only listened to it, a rejection that nobody handles
   * would count as handled. One with members of its own, or of a class of its own, has to stay what it is.
   */
  #watchPromise(promise: Promise<unknown>): Promise<unknown> {
    const isPlain = Object.getPrototypeOf(promise) === Promise.prototype && Object.keys(promise).length === 0
    if (isPlain) return this.#settling(promise)
    try {
      // Not the promise's own `then`: a lazy one would start by it.
      Promise.prototype.then.call(
        promise,
        value => this.#end(null, value),
        (thrown: unknown) => this.#end({ thrown }, undefined),
      )
    } catch {
      // Its class cannot be built from here. Its end is not ours to know.
      this.#end(null, undefined)
    }
    return promise
  }

  #settling(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
      value => {
        this.#end(null, value)
        return value
      },
      (thrown: unknown) => {
        this.#end({ thrown }, undefined)
        throw thrown
      },
    )
  }

  /** The generator stays itself, with its prototype and what that offers; all of it goes through these three. */
  #watchGenerator(generator: AnyGenerator): AnyGenerator {
    if (!Object.isExtensible(generator)) {
      this.#end(null, undefined)
      return generator
    }
    this.#items = 0
    for (const step of ['next', 'return', 'throw'] as const) {
      const own = generator[step]
      const watched = (...values: unknown[]): unknown => {
        let result: unknown
        try {
          result = Reflect.apply(own, generator, values)
        } catch (thrown) {
          this.failed(thrown)
          throw thrown
        }
        if (!types.isPromise(result)) {
          this.#stepped(result as IteratorResult<unknown>)
          return result
        }
        return result.then(
          taken => {
            this.#stepped(taken as IteratorResult<unknown>)
            return taken
          },
          (thrown: unknown) => {
            this.failed(thrown)
            throw thrown
          },
        )
      }
      Object.defineProperty(watched, 'name', { value: step })
      Object.defineProperty(generator, step, { value: watched, writable: true, configurable: true })
    }
    return generator
  }

  #stepped(taken: IteratorResult<unknown>): void {
    if (taken.done === true) this.#end(null, taken.value)
    else this.#items = (this.#items ?? 0) + 1
  }

  #end(error: Failure | null, result: unknown): void {
    if (this.#over) return
    this.#over = true
    const { eventName, kind, service, module, name } = this.#facts
    try {
      this.#auditor.function({
        eventName,
        kind,
        service,
        module,
        name,
        requestId: this.#requestId,
        startedAt: this.#startedAt,
        elapsed: toSeconds(monotonicNow() - this.#start),
        error,
        items: this.#items,
        fields: this.#described('fields', error, result),
        details: this.#described('details', error, result),
      })
    } catch {
      // Where the function used up the stack there is no room to say so either; the caller gets its own error.
    }
  }

  #described(
    option: 'fields' | 'details',
    error: Failure | null,
    result: unknown,
  ): Readonly<Record<string, unknown>> | undefined {
    const { [option]: describe, eventName } = this.#facts
    if (describe === undefined) return undefined
    try {
      const args = this.#args
      const told = describe(error === null ? { args, result } : { args, error: error.thrown })
      if (typeof told === 'object' && told !== null && !types.isPromise(told)) return { ...told }
      if (types.isPromise(told)) told.catch(() => undefined)
      if (told !== undefined) throw new TypeError(`${option}() must return an object`)
    } catch (problem) {
      this.#auditor.undescribed(eventName, option, problem)
    }
    return undefined
  }
}

type AnyGenerator = Record<'next' | 'return' | 'throw', (...values: unknown[]) => unknown>

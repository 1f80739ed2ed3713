import { callingFile } from '../log/index.ts'
import type { EventDetails } from '../request/index.ts'
import { auditedDescriptor, auditedMethod, isContext, type MethodContext } from './audited-method.ts'
import { eventKinds } from './explicit-event.ts'
import {
  type AnyFunction,
  type AuditedCall,
  type CallAuditor,
  type Callable,
  factsOf,
  watched,
} from './function-call.ts'
import type { EventKind } from './ledger-client.ts'

/** What a call comes to: what its promise is fulfilled with, or what its generator returns. */
export type CallResult<Result> = Result extends
  | Generator<unknown, infer Returned, never>
  | AsyncGenerator<unknown, infer Returned, never>
  ? Returned
  : Awaited<Result>

/** How a function is audited. */
export interface AuditedOptions<Arguments extends readonly unknown[] = readonly unknown[], Result = unknown> {
  /** Default `fn.<module>.<name>`. A function without a name needs one. */
  readonly eventName?: string | undefined
  /** Of a call that does not throw; one that does is an `error`. Default `info`. */
  readonly kind?: EventKind | undefined
  /** Default: the instance's. */
  readonly service?: string | undefined
  /** Default: of a decorated method its class, else the name of the file that called `audited`, without its ending. */
  readonly module?: string | undefined
  /**
   * What the event tells of a call beyond that it was; it becomes the payload's `fields`, secrets blanked. Default:
   * nothing of arguments and results is recorded. If it throws, that is logged, and the event goes out without.
   */
  readonly fields?:
    | ((call: AuditedCall<Arguments, Result>) => Readonly<Record<string, unknown>> | undefined)
    | undefined
  /** Who did it, to what and why: members of the event's `meta`, as `event()` takes them. Fails as `fields` does. */
  readonly details?: ((call: AuditedCall<Arguments, Result>) => EventDetails | undefined) | undefined
}

/** A decorator for methods, getters and setters: a standard one, and one for TypeScript's `experimentalDecorators`. */
export interface AuditedDecorator {
  <Method extends AnyFunction>(method: Method, context: MethodContext): Method
  <Method>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): TypedPropertyDescriptor<Method>
}

/**
 * Makes one audit event of each call of a function, and changes nothing else about it. (IP-10 … IP-16)
 * @throws TypeError for options that are none, a class, or a function without a name and `eventName`
 */
export interface Audited extends AuditedDecorator {
  /** Wraps a function. */
  <Audits extends AnyFunction>(
    work: Audits,
    options?: AuditedOptions<Parameters<Audits>, CallResult<ReturnType<Audits>>>,
  ): Audits
  /** Makes a decorator. */
  (options?: AuditedOptions): AuditedDecorator
}

/** Builds an `audited`; which instance an event belongs to is asked at each call. */
export function createAudited(instance: () => CallAuditor | undefined): Audited {
  const audited = (first?: unknown, second?: unknown, third?: unknown): unknown => {
    const isDecorating = isContext(second) || typeof second === 'string' || typeof second === 'symbol'
    const how = checkedOptions(isDecorating ? undefined : typeof first === 'function' ? second : first)
    const file = how.module === undefined ? moduleOf(callingFile(audited)) : how.module
    const decorate = (target: unknown, key: unknown, descriptor?: unknown): unknown =>
      isContext(key)
        ? auditedMethod(target, key, how, file, instance)
        : auditedDescriptor(target, key, descriptor, how, file, instance)
    if (isDecorating) return decorate(first, second, third)
    return typeof first === 'function' ? auditedFunction(first as Callable, how, file, instance) : decorate
  }
  return audited as Audited
}

function auditedFunction(
  work: Callable,
  how: AuditedOptions,
  module: string,
  instance: () => CallAuditor | undefined,
): Callable {
  if (/^class\b/.test(Function.prototype.toString.call(work)))
    throw new TypeError('audited() takes a function, and this is a class: decorate or wrap its methods')
  const name = work.name.replace(/^(?:bound )+/, '')
  if (name === '' && how.eventName === undefined) {
    throw new TypeError(
      "audited(): the function has no name; name its event: audited(fn, { eventName: 'card.charge' })",
    )
  }
  const facts = factsOf(how, module, name === '' ? '<anonymous>' : name)
  return watched(work, () => facts, instance)
}

/** The name of a file without its folder and ending. */
export function moduleOf(file: string | undefined): string {
  const name = file?.replace(/^.*[/\\]/s, '')
  return name?.replace(/(?<=.)\.[^.]*$/, '') || '<unknown>'
}

/** Checked where it is written, since a call of the function must not fail for it. */
function checkedOptions(given: unknown): AuditedOptions {
  if (given === undefined) return {}
  if (typeof given !== 'object' || given === null)
    throw new TypeError('audited() takes a function and an object of options, or the options alone')
  const options = given as AuditedOptions
  for (const name of ['eventName', 'service', 'module'] as const) {
    const value: unknown = options[name]
    if (value !== undefined && (typeof value !== 'string' || value.trim() === ''))
      throw new TypeError(`audited(): ${name} must be a text that is not empty`)
  }
  if (options.kind !== undefined && !eventKinds.has(options.kind))
    throw new TypeError('audited(): kind must be success, info, warning or error')
  for (const name of ['fields', 'details'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function')
      throw new TypeError(`audited(): ${name} must be a function that returns an object`)
  }
  return options
}

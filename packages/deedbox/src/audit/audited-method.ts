import { type CallAuditor, type Callable, type FunctionFacts, factsOf, watched } from './function-call.ts'

/** What the standard tells a decorator of a method, getter or setter. */
export interface MethodContext {
  readonly kind: 'method' | 'getter' | 'setter'
  readonly name: string | symbol
  readonly static: boolean
  readonly private: boolean
  addInitializer(initializer: () => void): void
}

/** What the options say that a name and a module are added to. */
type Options = Omit<Partial<FunctionFacts>, 'name'>

type Instance = () => CallAuditor | undefined

/** Whether a decorator is called as the standard has it. */
export function isContext(value: unknown): value is MethodContext {
  return typeof value === 'object' && value !== null && 'addInitializer' in value
}

/** What takes a method's place under standard decorators. */
export function auditedMethod(
  method: unknown,
  context: MethodContext,
  how: Options,
  file: string,
  instance: Instance,
): Callable {
  if (typeof method !== 'function' || !['method', 'getter', 'setter'].includes(context.kind))
    throw misplaced()
  const prefix = context.kind === 'getter' ? 'get ' : context.kind === 'setter' ? 'set ' : ''
  const name = prefix + keyText(context.name)
  if (how.module !== undefined) return watched(method as Callable, settled(how, how.module, name), instance)
  let owner: unknown
  // A class runs it once for itself; for each object it would run as often as there are objects.
  if (context.static) {
    context.addInitializer(function (this: unknown) {
      owner = this
    })
  }
  let known: FunctionFacts | undefined
  const audited = watched(
    method as Callable,
    self => {
      if (known !== undefined) return known
      const found = context.static ? ownName(owner) : declaringClass(self, context.name, audited)
      if (found !== undefined) {
        known = factsOf(how, found, name)
        return known
      }
      return factsOf(how, classOf(self) ?? file, name)
    },
    instance,
  )
  return audited
}

/** The descriptor with what takes the place of its function, or functions, under TypeScript's older decorators. */
export function auditedDescriptor(
  target: unknown,
  key: unknown,
  descriptor: unknown,
  how: Options,
  file: string,
  instance: Instance,
): PropertyDescriptor {
  if (typeof descriptor !== 'object' || descriptor === null) throw misplaced()
  const given = descriptor as PropertyDescriptor
  const owner = typeof target === 'function' ? target.name : classOf(target)
  const module = how.module ?? (owner || file)
  const key_ = keyText(key as string | symbol)
  const audit = (work: unknown, name: string): Callable =>
    watched(work as Callable, settled(how, module, name), instance)
  if (typeof given.value === 'function') return { ...given, value: audit(given.value, key_) }
  if (given.get === undefined && given.set === undefined) throw misplaced()
  return {
    ...given,
    ...(given.get === undefined ? {} : { get: audit(given.get, `get ${key_}`) as () => unknown }),
    ...(given.set === undefined ? {} : { set: audit(given.set, `set ${key_}`) as (value: unknown) => void }),
  }
}

function settled(how: Options, module: string, name: string): () => FunctionFacts {
  const facts = factsOf(how, module, name)
  return () => facts
}

function misplaced(): TypeError {
  return new TypeError(
    'audited() decorates methods, getters and setters; wrap any other function: audited(fn)',
  )
}

/** As JavaScript names functions: `place`, `#place`, `[Symbol.iterator]`. */
function keyText(key: string | symbol): string {
  return typeof key === 'symbol' ? `[${key.description ?? ''}]` : key
}

function ownName(value: unknown): string | undefined {
  return typeof value === 'function' && value.name !== '' ? value.name : undefined
}

/** The class of an object. Never throws: objects may be proxies, and answer as they like. */
function classOf(self: unknown): string | undefined {
  try {
    return typeof self === 'object' && self !== null ? ownName(self.constructor) : undefined
  } catch {
    return undefined
  }
}

/** The class that a method stands in, which a standard decorator is not told: where the object inherits it from. */
function declaringClass(self: unknown, name: string | symbol, method: Callable): string | undefined {
  try {
    for (
      let holder = self;
      typeof holder === 'object' && holder !== null;
      holder = Object.getPrototypeOf(holder)
    ) {
      const found = Object.getOwnPropertyDescriptor(holder, name)
      if (found !== undefined && (found.value === method || found.get === method || found.set === method))
        return classOf(holder)
    }
  } catch {}
  return undefined
}

const refuse = (): never => {
  throw new Error('refused')
}

/** A proxy for each thing that proxies can refuse to do. */
function refusingProxies(what: string, target: () => object): Record<string, () => unknown> {
  const traps = Object.getOwnPropertyNames(Reflect)
  return Object.fromEntries(
    traps.map(trap => [`${what} that refuses ${trap}`, () => new Proxy(target(), { [trap]: refuse })]),
  )
}

/** Values that throw when they are looked at, or never end, by what is wrong with them. */
export const hostileValues: Readonly<Record<string, () => unknown>> = {
  'a throwing getter': () => Object.defineProperty({}, 'bad', { enumerable: true, get: refuse }),
  'a throwing toJSON': () => ({ toJSON: refuse }),
  'a throwing toJSON getter': () => Object.defineProperty({}, 'toJSON', { get: refuse }),
  'a toJSON that throws itself': () => {
    const value = {
      toJSON(): never {
        throw value
      },
    }
    return value
  },
  'an endless toJSON': () => {
    const make = (): object => ({ toJSON: make })
    return make()
  },
  'a toJSON that gives itself': () => {
    const value = { a: 1, toJSON: (): unknown => value }
    return value
  },
  'a throwing toString': () => ({ toString: refuse, message: { toString: refuse } }),
  'no prototype': () => Object.assign(Object.create(null), { a: 1 }),
  'a throwing symbol': () => ({
    [Symbol.toPrimitive]: refuse,
    get [Symbol.toStringTag]() {
      return refuse()
    },
  }),
  'a proxy that refuses everything': () =>
    new Proxy(
      {},
      { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse, getOwnPropertyDescriptor: refuse },
    ),
  ...refusingProxies('a proxy', () => Object.assign(() => 1, { a: 1, toJSON: undefined })),
  ...refusingProxies('a proxy of an error', () => new Error('x', { cause: new Error('y') })),
  ...refusingProxies('a proxy of a list', () => [1, { a: 1 }]),
  'a list that refuses everything': () =>
    new Proxy([], { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  'a revoked list': () => {
    const { proxy, revoke } = Proxy.revocable([], {})
    revoke()
    return proxy
  },
  'a list that lies about its length': () =>
    new Proxy([], { get: (target, key) => (key === 'length' ? 2 ** 40 : Reflect.get(target, key)) }),
  'an endless proxy': () => {
    const make = (): object =>
      new Proxy(
        {},
        {
          get: make,
          ownKeys: () => ['a'],
          getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
        },
      )
    return make()
  },
  'a map that is none': () => Object.create(Map.prototype),
  'a date that is none': () => Object.create(Date.prototype),
  'a map with a throwing iterator': () => Object.assign(new Map([['a', 1]]), { [Symbol.iterator]: refuse }),
  'a boxed text with a throwing valueOf': () => Object.assign(Object('x'), { valueOf: refuse }),
  'an error with throwing members': () => {
    const error = new Error('x')
    for (const key of ['name', 'message', 'stack', 'cause', 'errors'])
      Object.defineProperty(error, key, { get: refuse })
    return error
  },
  'an error with members of other types': () =>
    Object.assign(new Error('x'), { name: 5, message: Symbol('m'), stack: {}, errors: 7, cause: 8n }),
  'an aggregate of itself': () => {
    const error = new AggregateError([], 'x')
    error.errors.push(error, error)
    return error
  },
  'a circle': () => {
    const value: Record<string, unknown> = { list: [] }
    value.self = value
    ;(value.list as unknown[]).push(value)
    return value
  },
  'a detached buffer': () => {
    const buffer = new ArrayBuffer(8)
    const view = new Uint8Array(buffer)
    structuredClone(buffer, { transfer: [buffer] })
    return [buffer, view]
  },
  'a toJSON that gives a circle': () => {
    const circle: Record<string, unknown> = {}
    circle.self = { toJSON: () => circle }
    return { toJSON: () => circle }
  },
  'a toJSON that gives a proxy': () => ({ toJSON: () => new Proxy({}, { ownKeys: refuse }) }),
  'a toJSON that is a proxy': () => ({ toJSON: new Proxy(() => 1, { apply: refuse }) }),
  'a text that refuses to be one': () =>
    Object.assign(Object('x'), { [Symbol.toPrimitive]: refuse, toString: refuse, valueOf: refuse }),
  'a date that refuses to be read': () =>
    Object.assign(new Date(0), { toJSON: refuse, valueOf: refuse, toString: refuse }),
  'a boxed symbol': () => Object(Symbol('s')),
  'private members': () => new Account(),
  'a getter of private members on a stranger': () =>
    Object.defineProperty({}, 'shown', {
      ...Object.getOwnPropertyDescriptor(Account.prototype, 'shown'),
      enumerable: true,
    }),
  'an error that throws itself': () => new ThrowsItself(),
  'an error whose class has no name': () => new (class extends Error {})('x'),
  'an error whose constructor cannot be read': () =>
    Object.defineProperty(new Error('x'), 'constructor', { get: refuse }),
  'an error whose causes never end': () => {
    const make = (): Error => Object.defineProperty(new Error('x'), 'cause', { get: make })
    return make()
  },
  'a map whose size throws': () => Object.defineProperty(new Map([['a', 1]]), 'size', { get: refuse }),
  'a set that is its own member': () => {
    const set = new Set<unknown>()
    return set.add(set).add(new Map([[set, set]]))
  },
  'a generator': () =>
    (function* () {
      yield refuse()
    })(),
  'a view of a detached buffer': () => {
    const view = new DataView(new ArrayBuffer(8))
    structuredClone(view.buffer, { transfer: [view.buffer] })
    return { view }
  },
  'numbers over a buffer that shrank': () => {
    const buffer = new ArrayBuffer(16, { maxByteLength: 16 })
    const numbers = new Float64Array(buffer, 8, 1)
    buffer.resize(4)
    return numbers
  },
  'a list with a throwing entry': () => Object.defineProperty([1, 2, 3], '1', { get: refuse }),
  'a label that throws': () =>
    Object.defineProperty({ value: 'x' }, 'name', { enumerable: true, get: refuse }),
  'a pair that throws': () => [new Proxy(['password', 'x'], { get: refuse })],
  'a function with a throwing name': () => Object.defineProperty(() => 1, 'name', { get: refuse }),
  'a function whose name is a symbol': () => Object.defineProperty(() => 1, 'name', { value: Symbol('n') }),
}

class Account {
  #secret = 'x'
  get shown(): string {
    return this.#secret
  }
}

class ThrowsItself extends Error {
  override get name(): string {
    throw this
  }
  override get message(): string {
    throw this
  }
  override get stack(): string {
    throw this
  }
  override get cause(): unknown {
    throw this
  }
  override toString(): string {
    throw this
  }
}

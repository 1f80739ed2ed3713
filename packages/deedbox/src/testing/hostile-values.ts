const refuse = (): never => {
  throw new Error('refused')
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
  'a function with a throwing name': () => Object.defineProperty(() => 1, 'name', { get: refuse }),
  'a function whose name is a symbol': () => Object.defineProperty(() => 1, 'name', { value: Symbol('n') }),
}

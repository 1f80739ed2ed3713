import type { Deedbox } from 'deedbox'
import type { Entry } from './corpus.ts'

/** Where code of a service may leave something while it serves a request; each is done in a request of its own. */
export const requestPlaces: Readonly<Record<string, (box: Deedbox, entry: Entry) => unknown>> = {
  'event name': (box, { text }) => box.event(text),
  user: (box, { text }) => box.current()?.identify(text),
  'route template': (box, { text }) => box.current()?.matched(`/${text}`),
  'set text': (box, { text }) => box.set({ note: text }),
  'set value': (box, { name, text, secret }) => box.set({ [name]: secret ?? text, deep: { [name]: secret } }),
  'thrown error': (_box, { text }) => {
    throw new Error(text)
  },
  'error cause': (_box, { text }) => {
    throw new Error('outer', { cause: new Error('middle', { cause: new TypeError(text) }) })
  },
  'aggregate error': (_box, { text }) => {
    throw new AggregateError([new Error(text), new Error('other')], `both: ${text}`)
  },
  'thrown text': (_box, { text }) => {
    throw text
  },
  'thrown object': (_box, { text }) => {
    throw { message: text, toString: () => text }
  },
  'error name': (_box, { text }) => {
    throw Object.assign(new Error('named'), { name: text })
  },
  'error members': (_box, { name, text, secret }) => {
    throw Object.assign(new Error('with members'), { [name]: secret ?? text, note: text })
  },
  'error stack': (_box, { text }) => {
    throw Object.assign(new Error('x'), { stack: `Error: ${text}\n    at somewhere (/app/${text}:1:2)` })
  },
  'rejected promise': async (_box, { text }) => {
    await null
    throw new Error(text)
  },
}

/** What goes wrong in validation; the service answers 400 with it. */
export function validationError({ name, text, secret }: Entry): Error {
  const value = secret ?? text
  const issues = [
    { path: ['user', name], input: value, message: 'Invalid input' },
    { property: name, value, constraints: { isString: text } },
    { instancePath: `/${name}`, data: value, message: text },
    { context: { key: name, label: name, value }, message: `"${name}" with value "${value}" fails` },
  ]
  return Object.assign(new Error(text), { name: 'ZodError', issues })
}

/** Where code may write at any time. */
export const logPlaces: Readonly<Record<string, (box: Deedbox, entry: Entry) => unknown>> = {
  'log message': (box, { text }) => box.log.info(text),
  'log error': (box, { text }) => box.log.error(new Error(text)),
  'log error with fields': (box, { name, text, secret }) =>
    box.log.error('failed', new Error(text), { [name]: secret ?? text }),
  'log field': (box, { name, text, secret }) => box.log.info('field', { [name]: secret ?? text, note: text }),
  'log depth': (box, { name, text, secret }) =>
    box.log.info('depth', { a: [{ b: { [name]: secret ?? text } }], c: [[text]], d: { [name]: [[secret]] } }),
  'log map': (box, { name, text, secret }) =>
    box.log.info('map', {
      map: new Map([[name, secret ?? text]]),
      mixed: new Map<unknown, unknown>([
        [1, text],
        [name, secret],
      ]),
    }),
  'log set': (box, { name, text, secret }) =>
    box.log.info('set', { set: new Set([text, { [name]: secret }]) }),
  'log name': (box, { text }) => box.log.info('name', { [text]: 1, deep: { [text]: 1 } }),
  'log JSON': (box, { name, text, secret }) => {
    const json = JSON.stringify({ [name]: secret ?? text, note: text })
    box.log.info('json', {
      json,
      twice: JSON.stringify({ json }),
      list: JSON.stringify({ [name]: [secret] }),
    })
  },
  'log message of JSON': (box, { name, text, secret }) =>
    box.log.info(JSON.stringify({ [name]: secret ?? text, note: text })),
  'log headers': (box, { name, text, secret }) =>
    box.log.info('headers', {
      pairs: [[name, secret ?? text]],
      rawHeaders: ['Accept', text, name, secret ?? text],
      named: [{ name, value: secret ?? text }],
    }),
  'log bytes': (box, { text }) => box.log.info('bytes', { bytes: Buffer.from(text) }),
  'log toJSON': (box, { name, text, secret }) =>
    box.log.info('toJSON', { a: { toJSON: () => ({ [name]: secret, text }) }, b: { toJSON: () => text } }),
  'log getter': (box, { text }) =>
    box.log.info('getter', {
      get bad(): never {
        throw new Error(text)
      },
    }),
  'log URL': (box, { name, text, secret }) => {
    const url = new URL('https://h.example/a')
    url.searchParams.set(name, secret ?? text)
    url.searchParams.set('next', text)
    box.log.info(`GET ${url.href}`, { url, href: url.href })
  },
  'log inspected': (box, { name, text, secret }) =>
    box.log.info(
      `{ ${JSON.stringify(name)}: ${JSON.stringify(secret ?? text)}, note: ${JSON.stringify(text)} }`,
    ),
  bound: (box, { name, text, secret }) =>
    box.log
      .with({ [name]: secret ?? text })
      .with({ note: text })
      .warn('bound'),
  job: (box, { text }) => box.run({ name: text }, () => box.event(text)),
  'job error': (box, { text }) => {
    const work = (): never => {
      box.event('job.failed')
      throw new Error(text)
    }
    try {
      box.run({ name: 'failing' }, work)
    } catch {}
  },
  'audited function': (box, { name, text, secret }) => {
    const work = (_argument: unknown): unknown => ({ [name]: secret ?? text })
    box.audited(work, { eventName: 'unrecorded' })({ [name]: secret ?? text, note: secret })
    box.audited(work, {
      eventName: text,
      module: text,
      service: text,
      fields: ({ args, result }) => ({ args, result, note: text, [name]: secret ?? text }),
      details: () => ({ reason: text, actor: { id: text }, [name]: secret ?? text }),
    })({ [name]: secret ?? text })
  },
  'audited error': (box, { text }) => {
    const fails = box.audited(
      (): never => {
        throw Object.assign(new Error(text), { name: text })
      },
      {
        eventName: 'failing',
        fields: () => {
          throw new Error(text)
        },
      },
    )
    try {
      fails()
    } catch {}
  },
}

/** Events that a service sends itself. */
export function explicitEvents({ name, text, secret }: Entry): Parameters<Deedbox['sendAll']>[0] {
  const value = secret ?? text
  return [
    {
      name: 'sent.object',
      payload: {
        note: text,
        [name]: value,
        list: [{ [name]: value }],
        json: JSON.stringify({ [name]: value }),
      },
    },
    { name: 'sent.text', payload: text },
    {
      name: 'sent.meta',
      payload: { a: 1 },
      meta: { reason: text, actor: { type: 'user', id: text }, [name]: value },
    },
    { name: text, payload: { a: 1 } },
    { name: 'sent.clamped', payload: { filler: 'x'.repeat(12_000), note: text }, clamp: true },
  ]
}

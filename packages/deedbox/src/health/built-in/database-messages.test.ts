import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databaseMessages } from './database-messages.ts'

/** An error as drivers and libraries throw them. */
function thrown(message: string, fields: object = {}): Error {
  return Object.assign(new Error(message), fields)
}

const told: readonly (readonly [unknown, string, string])[] = [
  [
    thrown('connect ECONNREFUSED 127.0.0.1:5432', { code: 'ECONNREFUSED', errno: -111 }),
    'E008',
    'Database driver error: connect ECONNREFUSED 127.0.0.1:5432',
  ],
  [
    // What Node throws for a host with two addresses.
    Object.assign(
      new AggregateError([
        thrown('connect ECONNREFUSED ::1:5432', { code: 'ECONNREFUSED' }),
        thrown('connect ECONNREFUSED 127.0.0.1:5432', { code: 'ECONNREFUSED' }),
      ]),
      { code: 'ECONNREFUSED' },
    ),
    'E008',
    'Database driver error: connect ECONNREFUSED ::1:5432',
  ],
  [
    thrown('password authentication failed for user "ann"', { code: '28P01' }),
    'E008',
    'Database driver error: the server refused user or password (28P01)',
  ],
  [
    thrown("Access denied for user 'ann'@'localhost' (using password: YES)", {
      code: 'ER_ACCESS_DENIED_ERROR',
      errno: 1045,
    }),
    'E008',
    'Database driver error: the server refused user or password (ER_ACCESS_DENIED_ERROR)',
  ],
  [
    Object.assign(thrown('Authentication failed.', { code: 18, codeName: 'AuthenticationFailed' }), {
      name: 'MongoServerError',
    }),
    'E008',
    'Database driver error: the server refused user or password (AuthenticationFailed)',
  ],
  [
    // A library above the driver keeps the driver's error as its cause.
    new Error('Failed query: select 1\nparams: ', {
      cause: thrown('database "shop" does not exist', { code: '3D000' }),
    }),
    'E008',
    'Database driver error: database "shop" does not exist (3D000)',
  ],
  [
    thrown("Can't reach database server at postgres://ann:hunter2hunter2@db:5432", { errorCode: 'P1001' }),
    'E008',
    "Database driver error: Can't reach database server at postgres://db:5432 (P1001)",
  ],
  [
    thrown('timeout exceeded when trying to connect'),
    'E008',
    'Database driver error: timeout exceeded when trying to connect',
  ],
  [
    // A library that hands on the text alone.
    new Error('query failed: password authentication failed for user "ann"'),
    'E008',
    'Database driver error: the server refused user or password',
  ],
  [
    thrown('too many connections for role "ann"', { code: '53300' }),
    'E008',
    'Database driver error: too many connections for role (53300)',
  ],
  [
    thrown("User ann already has more than 'max_user_connections' active connections", {
      code: 'ER_TOO_MANY_USER_CONNECTIONS',
      errno: 1203,
    }),
    'E008',
    "Database driver error: User already has more than 'max_user_connections' active connections (ER_TOO_MANY_USER_CONNECTIONS)",
  ],
  [
    thrown("The user 'ann'@'%' was asked by postgres://ann:hunter2/a@b@db:5432/shop", { code: 'XX000' }),
    'E008',
    'Database driver error: The user was asked by postgres://db:5432/shop (XX000)',
  ],
  [
    thrown('database is locked', { code: 'ERR_SQLITE_ERROR', errcode: 5 }),
    'E008',
    'Database driver error: database is locked (ERR_SQLITE_ERROR)',
  ],
  [
    thrown('Cannot use a pool after calling end on the pool'),
    'E009',
    'Database misconfigured: Cannot use a pool after calling end on the pool',
  ],
  [thrown('Unknown dialect', { code: 18 }), 'E009', 'Database misconfigured: Unknown dialect'],
  [new TypeError('db.query is not a function'), 'E009', 'Database misconfigured: db.query is not a function'],
  ['text', 'E009', 'Database misconfigured: text'],
  [undefined, 'E009', 'Database misconfigured: undefined'],
]

test('DF-24 DF-25 what a driver says is E008, everything else E009, without users and passwords', () => {
  for (const [error, id, text] of told) {
    const [message, ...others] = databaseMessages(error)
    assert.deepEqual([message?.id, message?.message, message?.level], [`dockerflow.health.${id}`, text, 40])
    assert.deepEqual(others, [])
    assert(!/\bann\b|hunter2/.test(String(message)))
  }
})

test('DF-25 an error whose members cannot be read is a message as well', () => {
  const error = new Proxy(new Error('x'), {
    get() {
      throw new Error('not readable')
    },
  })
  assert.match(databaseMessages(error)[0]?.message ?? '', /^Database misconfigured: /)
})

test('DF-25 a long text is cut and stands in one line', () => {
  const message = databaseMessages(thrown(`one\n${'two '.repeat(500)}`, { code: 'XX000' }))[0]?.message ?? ''
  assert.match(message, /^Database driver error: one two two .*… \(XX000\)$/)
  assert(message.length < 400)
})

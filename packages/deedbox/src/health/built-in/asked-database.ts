import { askPool, type CheckedPool } from './database-attempt.ts'
import { hasMethods } from './handed-over.ts'
import { checkedMysql } from './mysql.ts'
import { checkedPostgres } from './postgres.ts'
import { prismaFailure } from './prisma-failure.ts'

/** The languages of SQL that checks tell apart. */
export type SqlDialect = 'postgres' | 'mysql' | 'sqlite'

/** A connection, pool or library instance of the service, as far as checks ask it. */
export interface AskedDatabase {
  readonly dialect: SqlDialect
  /**
   * Answers as its library does: see {@link rowsOf}.
   * @param over aborts when nobody waits any more: what can be given up then is
   */
  ask(sql: string, over?: AbortSignal): Promise<unknown>
}

/** What is read of something handed over. */
type Members = Readonly<Record<string, unknown>>

/** Anything that is called with a text. */
type TakesText = (sql: string, options?: object) => unknown

/** The library above drivers that an instance is of, told by members that no other has. */
export function libraryDatabase(given: object): AskedDatabase | undefined {
  for (const recognise of [prisma, kysely, drizzle, knex, typeorm, sequelize, mikro]) {
    const asked = recognise(given as unknown as Members)
    if (asked !== undefined) return asked
  }
  return undefined
}

/** The driver that an instance is of; its rows are read without a transaction. */
export function driverDatabase(given: object): AskedDatabase | undefined {
  if (isMysql2(given)) {
    const promising = hasMethods(given, 'promise') ? call(given, 'promise') : given
    return { dialect: 'mysql', ask: asking(promising, checkedMysql(Object(promising))) }
  }
  if (isPg(given)) return { dialect: 'postgres', ask: asking(given, checkedPostgres(given)) }
  if (isSqlite(given))
    return { dialect: 'sqlite', ask: async sql => call(call(given, 'prepare', sql), 'all') }
  return undefined
}

/** A pool is asked on a connection that can be closed if it does not answer. */
function asking<Connection>(
  driver: unknown,
  pool: CheckedPool<Connection> | undefined,
): AskedDatabase['ask'] {
  if (pool === undefined) return async sql => call(driver, 'query', sql)
  return (sql, over) => {
    const { answer, giveUp } = askPool(pool, sql)
    over?.addEventListener('abort', giveUp, { once: true })
    return answer
  }
}

/** A pool or connection of mysql2, with promises or callbacks. */
export function isMysql2(given: object): boolean {
  return hasMethods(given, 'query', 'execute')
}

/** A pool or client of pg. */
export function isPg(given: object): boolean {
  return hasMethods(given, 'query', 'connect')
}

/** A database of node:sqlite or better-sqlite3. */
export function isSqlite(given: object): boolean {
  return hasMethods(given, 'prepare', 'exec')
}

/** The rows of an answer: a list, a list before the description of its fields, or an object that has them. */
export function rowsOf(answer: unknown): readonly Members[] {
  if (!Array.isArray(answer)) {
    const rows: unknown = Object(answer).rows
    return Array.isArray(rows) ? rows : []
  }
  return Array.isArray(answer[0]) ? answer[0] : answer
}

function prisma(given: Members): AskedDatabase | undefined {
  if (!hasMethods(given, '$queryRawUnsafe', '$connect')) return undefined
  return {
    dialect: dialectOf(given._activeProvider),
    ask: async sql => {
      try {
        return await call(given, '$queryRawUnsafe', sql)
      } catch (error) {
        throw prismaFailure(error)
      }
    },
  }
}

function kysely(given: Members): AskedDatabase | undefined {
  if (!hasMethods(given, 'executeQuery', 'selectFrom', 'withoutPlugins', 'getExecutor')) return undefined
  // Names of classes are not what they were once a service was bundled.
  const { supportsReturning, supportsTransactionalDdl } = Object(Object(call(given, 'getExecutor')).adapter)
  const isSqlite = supportsReturning && !supportsTransactionalDdl
  const isMysql = !supportsReturning && !supportsTransactionalDdl
  return {
    dialect: isMysql ? 'mysql' : isSqlite ? 'sqlite' : 'postgres',
    ask: async sql =>
      call(call(given, 'withoutPlugins'), 'executeQuery', {
        sql,
        parameters: [],
        query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
        queryId: { queryId: 'deedbox' },
      }),
  }
}

function drizzle(given: Members): AskedDatabase | undefined {
  const kinds: string[] = []
  let prototype = Object.getPrototypeOf(given)
  for (; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    const kind: unknown = prototype.constructor?.[Symbol.for('drizzle:entityKind')]
    if (typeof kind === 'string') kinds.push(kind)
  }
  if (kinds.length === 0) return undefined
  const method = ['execute', 'all'].find(name => hasMethods(given, name))
  if (method === undefined) return undefined
  return { dialect: dialectOf(kinds.join()), ask: async sql => call(given, method, sql) }
}

function knex(given: Members): AskedDatabase | undefined {
  if (!hasMethods(given, 'raw', 'withUserParams')) return undefined
  return { dialect: dialectOf(Object(given.client).dialect), ask: async sql => call(given, 'raw', sql) }
}

function typeorm(given: Members): AskedDatabase | undefined {
  if (!hasMethods(given, 'query', 'initialize', 'createQueryRunner')) return undefined
  return { dialect: dialectOf(Object(given.options).type), ask: async sql => call(given, 'query', sql) }
}

function sequelize(given: Members): AskedDatabase | undefined {
  if (!hasMethods(given, 'query', 'authenticate', 'getDialect')) return undefined
  return {
    dialect: dialectOf(call(given, 'getDialect')),
    // It would print each statement.
    ask: async sql => call(given, 'query', sql, { logging: false }),
  }
}

function mikro(given: Members): AskedDatabase | undefined {
  const manager = Object(given.em) as Members
  if (!hasMethods(given, 'checkConnection') || !hasMethods(manager, 'getConnection', 'getPlatform'))
    return undefined
  const connection = call(manager, 'getConnection')
  if (!hasMethods(connection, 'execute')) return undefined
  const isMysql = String(call(call(manager, 'getPlatform'), 'quoteIdentifier', 'a')).startsWith('`')
  return {
    dialect: isMysql ? 'mysql' : 'postgres',
    ask: async sql => call(connection, 'execute', sql),
  }
}

function call(of: unknown, method: string, ...args: readonly unknown[]): unknown {
  return (Reflect.get(Object(of), method) as TakesText).call(of, ...(args as [string]))
}

/** Libraries and their drivers have many names for three languages. */
function dialectOf(name: unknown): SqlDialect {
  const text = String(name)
  if (/mysql|maria|singlestore|planetscale|tidb/i.test(text)) return 'mysql'
  return /sqlite|libsql|sqljs|d1/i.test(text) ? 'sqlite' : 'postgres'
}

import { type CheckMessage, dockerflowIds, info, warning } from '../../checks/index.ts'
import { databaseFailure } from './database-failure.ts'
import { databaseMessages } from './database-messages.ts'
import { shortened } from './error-line.ts'

/** How the migrations of a service and those of its database differ. */
export interface MigrationState {
  /** Names of migrations that the service brings and the database lacks. */
  readonly pending: readonly string[]
  /** Names of migrations that the database has and the service does not bring. */
  readonly unknown?: readonly string[]
  /** Names of migrations that ended half-way, where the tool keeps that. */
  readonly failed?: readonly string[]
  /** The table in which the tool keeps what was applied, where it is missing and the scripts cannot be listed without it. */
  readonly missingTable?: string
}

/** The migrations of a service cannot be read: not a failure of the database. */
export class UnreadableScripts extends Error {}

/** How many names a message has. */
const named = 5

/** What the check says. A service with pending migrations goes on working, so that nothing is graver than a warning. (DF-26) */
export function migrationMessages({
  pending,
  unknown = [],
  failed = [],
  missingTable,
}: MigrationState): CheckMessage[] {
  return [
    ...(missingTable === undefined
      ? []
      : [
          warning(`No migration was ever applied: there is no table ${missingTable}`, {
            id: dockerflowIds.unappliedMigration,
            hint: 'Apply the migrations, before the service is deployed.',
          }),
        ]),
    ...about(pending, dockerflowIds.unappliedMigration, {
      text: 'Unapplied migrations',
      hint: 'Apply the migrations, before the service is deployed.',
    }),
    ...about(unknown, 'deedbox.health.W232', {
      text: 'The database has migrations that this service does not bring',
      hint: 'A newer version has migrated the database: a deployment is under way, or was rolled back.',
    }),
    ...about(failed, 'deedbox.health.W233', {
      text: 'Migrations that failed half-way',
      hint: 'Mend the database by hand, and tell the tool how: until then it applies no other.',
    }),
  ]
}

/** What the check says where it cannot compare. (DF-26) */
export function migrationFailure(error: unknown): CheckMessage[] {
  if (error instanceof UnreadableScripts) {
    return [
      warning(`The migrations of this service cannot be read: ${shortened(error.message)}`, {
        id: 'deedbox.health.W231',
        hint: 'Does the image contain their folder, and is its path right?',
      }),
    ]
  }
  const [said] = databaseMessages(error)
  return [cannotCheck(said?.message.replace(/^Database [a-z ]+: /, '') ?? '')]
}

/** What the check says while there is no answer. */
export function lateMigrations(milliseconds: number): CheckMessage[] {
  return [cannotCheck(`the database has not answered for ${(milliseconds / 1_000).toFixed(1)} s`)]
}

function cannotCheck(why: string): CheckMessage {
  return info(`Migrations cannot be checked: ${why}`, {
    id: dockerflowIds.cannotCheckMigrations,
    hint: 'check_database_connected says more, where the service has it.',
  })
}

function about(names: readonly string[], id: string, said: { text: string; hint: string }): CheckMessage[] {
  if (names.length === 0) return []
  const more = names.length > named ? ` and ${names.length - named} more` : ''
  return [warning(`${said.text}: ${names.slice(0, named).join(', ')}${more}`, { id, hint: said.hint })]
}

/** Compares names; both lists in the order in which migrations are applied. */
export function compared(scripts: readonly string[], applied: readonly string[]): MigrationState {
  const brought = new Set(scripts)
  const known = new Set(applied)
  return {
    pending: scripts.filter(name => !known.has(name)),
    unknown: applied.filter(name => !brought.has(name)),
  }
}

/** Whether an error says that a table, or its schema, does not exist. */
export function isMissingTable(error: unknown): boolean {
  const { code, text } = databaseFailure(error)
  // Prisma has the server's code in its text alone, and SQLite none.
  return code === '42P01' || code === 'ER_NO_SUCH_TABLE' || /no such table|\b(42P01|1146)\b/i.test(text)
}

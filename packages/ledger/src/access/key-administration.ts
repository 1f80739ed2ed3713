import { randomUUID } from 'node:crypto'
import { LedgerError } from '../errors.ts'
import { type AdminChange, adminSubmission, type Queue, type Writer } from '../sequencer/index.ts'
import type { ApiKeyRow, LedgerRow, SqliteReader } from '../store/index.ts'
import { apiKeyRow, hashOfKey, keyRecord, newApiKey, rawScopes, type Scope } from './api-keys.ts'
import { Authenticator } from './authenticate.ts'
import { checkExpiry, checkKeyName, checkOverlap, checkPrincipal, checkScopes } from './key-settings.ts'
import { KeyUses } from './key-uses.ts'
import { type ApiKeyView, keyView } from './key-view.ts'

/** Who changes something: the principal of the admin key, or `local` for whoever holds the data folder. */
interface ByOption {
  /** Default `local`. */
  by?: string
}

/** How a key is created. */
export interface KeyOptions extends ByOption {
  /** Milliseconds since the epoch; default null: never. */
  expiresAt?: number | null
  /** The ledger of the file that the key is for, by its name; default the first one. */
  ledger?: string
  /**
   * Who writes with it; default somebody new. The principal of `append` in this process, `in-process` by default, lets
   * a service go on over HTTP: what it sends again under the same idempotency key is recognised.
   */
  principal?: string
}

/** How a key is replaced. */
export interface RotationOptions extends ByOption {
  /** Milliseconds for which the old key goes on working, unless it ends earlier anyway; default a day. */
  overlap?: number
}

/** What is told of a new key beside its text. */
interface NewKey {
  keyId: string
  principal: string
}

const day = 24 * 60 * 60 * 1_000

/**
 * The keys of all ledgers of a file: who may call, and what becomes of their keys. Each change is a leaf of the file's
 * first ledger (DESIGN §7.7).
 */
export class KeyAdministration {
  /** Tells callers by their API key. */
  readonly authenticator: Authenticator
  readonly #ledgerId: number
  readonly #queue: Pick<Queue, 'submit'>
  readonly #reader: Pick<SqliteReader, 'apiKeys' | 'apiKeyByHash' | 'ledgers'>
  readonly #uses: KeyUses

  constructor(
    writer: Pick<Writer, 'ledger' | 'touchKeys'>,
    queue: Pick<Queue, 'submit'>,
    reader: Pick<SqliteReader, 'apiKeys' | 'apiKeyByHash' | 'ledgers'>,
  ) {
    this.#ledgerId = writer.ledger.ledgerId
    this.#queue = queue
    this.#reader = reader
    this.#uses = new KeyUses(uses => writer.touchKeys(uses))
    this.authenticator = new Authenticator(
      hash => reader.apiKeyByHash(hash),
      this.#ledgerId,
      (keyId, at) => this.#uses.note(keyId, at),
    )
  }

  /** See `Ledger.createApiKey`. */
  async create(key: string, name: string, scopes: readonly Scope[], options: KeyOptions): Promise<NewKey> {
    const expiresAt = checkExpiry(options.expiresAt ?? null, Date.now())
    const ledger = this.#ledger(options.ledger)
    const made = apiKeyRow(key, ledger.ledgerId, checkKeyName(name), scopesOf(ledger, scopes), expiresAt)
    const row = { ...made, principal: checkPrincipal(options.principal ?? made.principal) }
    await this.#change('deedbox.key.created', this.#record(row, ledger), options, { do: 'create_key', row })
    return { keyId: row.keyId, principal: row.principal }
  }

  /** See `Ledger.rotateApiKey`. */
  async rotate(keyId: string, options: RotationOptions): Promise<NewKey & { key: string }> {
    const now = Date.now()
    const overlap = checkOverlap(options.overlap ?? day)
    const old = this.#row(keyId)
    const key = newApiKey()
    const lifetime = old.expiresAt === null ? null : old.expiresAt - old.createdAt
    const expiresAt = lifetime === null ? null : now + lifetime
    const made = apiKeyRow(key, old.ledgerId, old.name, old.scopes, expiresAt)
    const row = { ...made, principal: old.principal }
    // A rotation never gives a key more time than it had.
    const replacedExpiresAt = Math.min(now + overlap, old.expiresAt ?? Number.POSITIVE_INFINITY)
    const ledger = this.#reader.ledgers().find(({ ledgerId }) => ledgerId === row.ledgerId)
    const record = { ...this.#record(row, ledger), replaces: keyId, replaced_expires_at: replacedExpiresAt }
    await this.#change('deedbox.key.rotated', record, options, {
      do: 'rotate_key',
      row,
      replaces: keyId,
      replacedExpiresAt,
    })
    return { key, keyId: row.keyId, principal: row.principal }
  }

  /** See `Ledger.revokeApiKey`. */
  async revoke(keyId: string, options: ByOption): Promise<void> {
    const revokedAt = Date.now()
    const record = { key_id: this.#row(keyId).keyId, revoked_at: revokedAt }
    await this.#change('deedbox.key.revoked', record, options, { do: 'revoke_key', keyId, revokedAt })
  }

  /** See `Ledger.apiKeys`. */
  list(): ApiKeyView[] {
    const now = Date.now()
    const names = new Map(this.#reader.ledgers().map(({ ledgerId, name }) => [ledgerId, name]))
    return this.#reader
      .apiKeys()
      .map(row => keyView(row, names.get(row.ledgerId) ?? '?', this.#uses.lastUse(row.keyId), now))
  }

  /** Whether this text is a key already, of any ledger of the database, valid or not. */
  has(key: string): boolean {
    return this.#reader.apiKeyByHash(hashOfKey(key)) !== null
  }

  /** Stores what is known of the keys' use and not stored yet. */
  close(): Promise<void> {
    return this.#uses.flush()
  }

  async #change(
    name: string,
    record: object,
    { by = 'local' }: ByOption,
    change: AdminChange,
  ): Promise<void> {
    const submission = adminSubmission(name, { ...record, by }, randomUUID())
    await this.#queue.submit([{ ...submission, adminChange: change }])
    this.authenticator.forget()
  }

  #record(row: ApiKeyRow, ledger: LedgerRow | undefined): object {
    return keyRecord(row, row.ledgerId === this.#ledgerId ? undefined : ledger?.name)
  }

  #ledger(name: string | undefined): LedgerRow {
    const isWanted = (row: LedgerRow) =>
      name === undefined ? row.ledgerId === this.#ledgerId : row.name === name
    const row = this.#reader.ledgers().find(isWanted)
    if (row !== undefined) return row
    throw new LedgerError('unknown_ledger', `There is no ledger "${name}" in this file.`)
  }

  #row(keyId: string): ApiKeyRow {
    const row = this.#reader.apiKeys().find(row => row.keyId === keyId)
    if (row !== undefined) return row
    throw new LedgerError('unknown_key', 'There is no API key with this id in the ledger.')
  }
}

function scopesOf({ name, kind }: LedgerRow, wanted: readonly Scope[]): Scope[] {
  const scopes = checkScopes(wanted)
  if (kind === 'events' || scopes.every(scope => rawScopes.includes(scope))) return scopes
  throw new LedgerError(
    'invalid_key_settings',
    `The ledger "${name}" is raw: the scopes of its keys are one or more of ${rawScopes.join(', ')}. A key with admin ` +
      'is one of the first ledger, which administers all of them.',
  )
}

import { randomUUID } from 'node:crypto'
import { LedgerError } from '../errors.ts'
import { type AdminChange, adminSubmission, type Queue, type Writer } from '../sequencer/index.ts'
import type { ApiKeyRow, SqliteReader } from '../store/index.ts'
import { apiKeyRow, hashOfKey, keyRecord, newApiKey, type Scope } from './api-keys.ts'
import { Authenticator } from './authenticate.ts'
import { checkExpiry, checkKeyName, checkOverlap, checkScopes } from './key-settings.ts'
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

/** The keys of one ledger: who may call, and what becomes of their keys. Each change is a leaf (DESIGN §7.7). */
export class KeyAdministration {
  /** Tells callers by their API key. */
  readonly authenticator: Authenticator
  readonly #ledgerId: number
  readonly #queue: Pick<Queue, 'submit'>
  readonly #reader: Pick<SqliteReader, 'apiKeys' | 'apiKeyByHash'>
  readonly #uses: KeyUses

  constructor(
    writer: Pick<Writer, 'ledger' | 'touchKeys'>,
    queue: Pick<Queue, 'submit'>,
    reader: Pick<SqliteReader, 'apiKeys' | 'apiKeyByHash'>,
  ) {
    this.#ledgerId = writer.ledger.ledgerId
    this.#queue = queue
    this.#reader = reader
    this.#uses = new KeyUses(uses => writer.touchKeys(uses))
    this.authenticator = new Authenticator(
      hash => {
        const row = reader.apiKeyByHash(hash)
        // The file may hold several ledgers, and a key is of one.
        return row?.ledgerId === this.#ledgerId ? row : null
      },
      (keyId, at) => this.#uses.note(keyId, at),
    )
  }

  /** See `Ledger.createApiKey`. */
  async create(key: string, name: string, scopes: readonly Scope[], options: KeyOptions): Promise<NewKey> {
    const expiresAt = checkExpiry(options.expiresAt ?? null, Date.now())
    const row = apiKeyRow(key, this.#ledgerId, checkKeyName(name), checkScopes(scopes), expiresAt)
    await this.#change('deedbox.key.created', keyRecord(row), options, { do: 'create_key', row })
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
    const record = { ...keyRecord(row), replaces: keyId, replaced_expires_at: replacedExpiresAt }
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
    return this.#reader.apiKeys(this.#ledgerId).map(row => keyView(row, this.#uses.lastUse(row.keyId), now))
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

  #row(keyId: string): ApiKeyRow {
    const row = this.#reader.apiKeys(this.#ledgerId).find(row => row.keyId === keyId)
    if (row !== undefined) return row
    throw new LedgerError('unknown_key', 'There is no API key with this id in the ledger.')
  }
}

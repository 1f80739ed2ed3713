import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { LedgerError, type LedgerErrorCode } from '../errors.ts'
import { makeFolder } from '../make-folder.ts'
import { syncFolder } from '../sync-folder.ts'
import type { CheckedLedger } from './check-received.ts'
import { checkInThread } from './check-thread.ts'
import {
  checkPlaces,
  finishInstall,
  installedMove,
  installMove,
  type MovePlaces,
  stagingFolder,
} from './install.ts'
import { makeServerId, readServerId, serverIdFile } from './server-id.ts'
import { type MoveManifest, type MoveState, type MoveStatus, parseManifest } from './wire.ts'

interface Move {
  id: string
  manifest: MoveManifest
  /** Bytes of the file. */
  received: number
}

/** A ledger on its way into an empty data folder. What has arrived outlives the process; the check does not. */
export class Arrival {
  readonly #places: MovePlaces
  #move: Move | undefined
  #server: string | undefined
  #check: { abort: AbortController; done: number; total: number } | undefined
  #checked: CheckedLedger[] | undefined
  #refused: { reason: LedgerErrorCode; message: string } | undefined
  /** One call after the other. */
  #last: Promise<unknown> = Promise.resolve()

  /** Goes on with what an earlier process received. */
  constructor(places: MovePlaces) {
    this.#places = places
    this.#move = receivedSoFar(places)
    this.#server = readServerId(stagingFolder(places))
  }

  get status(): MoveStatus {
    const installed = installedMove(this.#places)
    if (installed !== undefined) return installed.status
    return { ...this.#state, ...(this.#server === undefined ? {} : { server: this.#server }) }
  }

  get #state(): MoveState {
    if (this.#move === undefined) return { state: 'awaiting' }
    const moveId = this.#move.id
    if (this.#refused !== undefined) return { state: 'refused', moveId, ...this.#refused }
    if (this.#checked !== undefined) {
      const ledgers = this.#checked.map(({ name, origin, size, root }) => ({ name, origin, size, root }))
      return { state: 'ready', moveId, ledgers }
    }
    if (this.#check !== undefined) {
      return { state: 'checking', moveId, done: this.#check.done, total: this.#check.total }
    }
    return { state: 'receiving', moveId, received: this.#move.received, bytes: this.#move.manifest.bytes }
  }

  /** Begins a move, or goes on with it if it is the same; another one that was under way is thrown away. */
  begin(moveId: string, manifestBytes: Uint8Array): Promise<MoveStatus> {
    return this.#inTurn(() => {
      const manifest = parseManifest(manifestBytes)
      if (this.#isInstalled(moveId)) return
      const same = this.#move?.id === moveId && this.#move.manifest.sha256 === manifest.sha256
      if (same && this.#refused === undefined) return
      this.#throwAway()
      try {
        this.#prepare(moveId, manifest)
      } catch (cause) {
        this.#throwAway()
        throw cause
      }
      this.#move = { id: moveId, manifest, received: 0 }
    })
  }

  /**
   * Takes the piece of the file that begins at `offset`; what is there already is not taken again.
   *
   * @param sha256 of the piece, in hex
   * @throws LedgerError `move_conflict`, `checksum_mismatch`, `storage_full`, `storage_failed`
   */
  take(moveId: string, offset: number, sha256: string, piece: Uint8Array): Promise<MoveStatus> {
    return this.#inTurn(() => {
      const move = this.#own(moveId)
      if (offset !== move.received) return
      if (createHash('sha256').update(piece).digest('hex') !== sha256) {
        throw new LedgerError(
          'checksum_mismatch',
          `The piece at ${offset} was changed on its way. Send it again.`,
        )
      }
      if (offset + piece.length > move.manifest.bytes) {
        throw new LedgerError('move_conflict', 'More arrives than was announced.')
      }
      this.#append(piece, offset)
      move.received += piece.length
    })
  }

  /** Begins to re-read what has arrived, if all of it has; the status says how it goes. */
  check(moveId: string): Promise<MoveStatus> {
    return this.#inTurn(() => {
      const { manifest, received } = this.#own(moveId)
      if (this.#check !== undefined || this.#checked !== undefined || this.#refused !== undefined) return
      if (received < manifest.bytes) {
        throw new LedgerError('move_conflict', `Only ${received} of ${manifest.bytes} bytes have arrived.`)
      }
      const check = { abort: new AbortController(), done: 0, total: 0 }
      this.#check = check
      const staging = stagingFolder(this.#places)
      const { guardFolder } = this.#places
      const { sha256, ledgers } = manifest
      checkInThread(
        {
          database: join(staging, 'ledger.db'),
          keysFolder: join(staging, 'keys'),
          guardFolder,
          manifest: { sha256, ledgers },
        },
        (done, total) => Object.assign(check, { done, total }),
        check.abort.signal,
      ).then(
        checked => {
          if (this.#check !== check) return
          this.#check = undefined
          this.#checked = checked
        },
        (error: LedgerError) => {
          if (this.#check !== check) return
          this.#check = undefined
          this.#refused = { reason: error.code, message: error.message }
        },
      )
    })
  }

  /**
   * Installs what was checked. Asked again about the same move, it says the same.
   *
   * @param token SHA-256 of the token, in hex
   * @param server the server that the client has on record: asked of another one, this would be a second history
   */
  install(moveId: string, token: string, server: string): Promise<MoveStatus> {
    return this.#inTurn(() => {
      if (this.#isInstalled(moveId)) return
      this.#own(moveId)
      if (this.#checked === undefined || server !== this.#server) {
        throw new LedgerError('move_conflict', 'What arrived has not been checked, so it is not installed.')
      }
      installMove(this.#places, { moveId, token, server, ledgers: this.#checked })
      this.#move = undefined
    })
  }

  /** Gives a move up: it is never installed after this has resolved, whatever is still on its way. */
  cancel(moveId: string): Promise<MoveStatus> {
    return this.#inTurn(() => {
      if (installedMove(this.#places) !== undefined || this.#move?.id !== moveId) return
      this.#throwAway()
    })
  }

  /** Stops a check under way; what has arrived stays. */
  async close(): Promise<void> {
    await this.#last
    this.#check?.abort.abort()
  }

  #inTurn(work: () => void): Promise<MoveStatus> {
    const turn = this.#last.then(() => {
      // An installation that was decided and failed half-way goes forward only, whatever is asked now.
      if (finishInstall(this.#places)) this.#move = undefined
      work()
      return this.status
    })
    this.#last = turn.catch(() => undefined)
    return turn
  }

  #prepare(moveId: string, manifest: MoveManifest): void {
    const staging = stagingFolder(this.#places)
    makeFolder(staging)
    this.#server = makeServerId(staging)
    mkdirSync(join(staging, 'keys'), { mode: 0o700 })
    for (const { name, text } of manifest.keys) {
      writeFileSync(join(staging, 'keys', name), text, { mode: 0o600, flag: 'wx', flush: true })
    }
    closeSync(openSync(join(staging, 'ledger.db'), 'wx', 0o600))
    // Before a byte is sent, and again before it is decided.
    checkPlaces(this.#places)
    const text = JSON.stringify({ moveId, manifest })
    writeFileSync(join(staging, 'manifest.json'), text, { mode: 0o600, flush: true })
    syncFolder(staging)
  }

  #isInstalled(moveId: string): boolean {
    const { status } = installedMove(this.#places) ?? {}
    if (status === undefined) return false
    if (status.state === 'installed' && status.moveId === moveId) return true
    throw new LedgerError('move_conflict', 'Another ledger was installed here.')
  }

  #own(moveId: string): Move {
    if (this.#move?.id === moveId) return this.#move
    throw new LedgerError(
      'move_conflict',
      'This move is not under way here: it was given up, or another one began.',
    )
  }

  #append(piece: Uint8Array, offset: number): void {
    const path = join(stagingFolder(this.#places), 'ledger.db')
    try {
      const descriptor = openSync(path, 'r+')
      try {
        for (let written = 0; written < piece.length; ) {
          written += writeSync(descriptor, piece, written, piece.length - written, offset + written)
        }
        fsyncSync(descriptor)
      } finally {
        closeSync(descriptor)
      }
    } catch (cause) {
      truncateSync(path, offset)
      const isFull = (cause as NodeJS.ErrnoException).code === 'ENOSPC'
      throw new LedgerError(
        isFull ? 'storage_full' : 'storage_failed',
        isFull ? 'The disk of the server is full.' : 'The server cannot write what arrives.',
        { cause },
      )
    }
  }

  /** The manifest goes first: without it the rest is nothing. Who this server is stays. */
  #throwAway(): void {
    this.#check?.abort.abort()
    this.#check = undefined
    this.#checked = undefined
    this.#refused = undefined
    this.#move = undefined
    const staging = stagingFolder(this.#places)
    if (!existsSync(staging)) return
    rmSync(join(staging, 'manifest.json'), { force: true })
    for (const name of readdirSync(staging)) {
      if (name !== serverIdFile) rmSync(join(staging, name), { recursive: true, force: true })
    }
    syncFolder(staging)
  }
}

/** What an earlier process received of a move. A piece that was cut off is counted: the check of the whole finds it. */
function receivedSoFar(places: MovePlaces): Move | undefined {
  const staging = stagingFolder(places)
  const path = join(staging, 'manifest.json')
  const file = join(staging, 'ledger.db')
  if (!existsSync(path) || !existsSync(file)) return undefined
  try {
    const { moveId, manifest } = JSON.parse(readFileSync(path, 'utf8'))
    return { id: moveId, manifest, received: Math.min(statSync(file).size, manifest.bytes) }
  } catch {
    return undefined
  }
}

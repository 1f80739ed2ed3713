import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatVerifierKey, type NoteSigner } from '@deedbox/tlog'
import { ed25519Signer, generateSigningKey, parseSigningKey } from '@deedbox/tlog/node'
import { LedgerError } from '../errors.ts'
import { makeFolder } from '../make-folder.ts'
import { syncFolder } from '../sync-folder.ts'

/**
 * The signing keys of one ledger, oldest first. All of them sign; the first one's seed is also the root of the
 * secret under which idempotency keys are hashed, so it outlives its own rotation.
 */
export interface SigningKeys {
  signers: NoteSigner[]
  /** The verifier keys to hand out, in the same order. */
  verifierKeys: string[]
  /** The 32-byte seed of the first key. */
  firstSeed: Uint8Array
}

/** Where keys come from: `DEEDBOX_SIGNING_KEY` (one key text a line, oldest first) if set, else a folder. */
export interface SigningKeySource {
  folder: string
  /** The value of `DEEDBOX_SIGNING_KEY`. */
  text?: string | undefined
}

const fileOf = (source: SigningKeySource, ledger: string) => join(source.folder, `${ledger}.signing-key`)

/** A key is written under this name first, and gets its own once the ledger that it signs for is durable. */
const newFileOf = (source: SigningKeySource, ledger: string) => `${fileOf(source, ledger)}.new`

/**
 * The keys of a ledger, or null when the folder has none.
 *
 * @throws LedgerError `signing_key_mismatch` when a key is malformed or belongs to another origin
 */
export function loadSigningKeys(source: SigningKeySource, ledger: string): SigningKeys | null {
  const text = source.text ?? readKeyFile(fileOf(source, ledger)) ?? readKeyFile(newFileOf(source, ledger))
  const lines = text?.split(/\s+/).filter(line => line !== '') ?? []
  if (lines.length === 0) return null
  return keysOf(lines, source.text === undefined ? fileOf(source, ledger) : 'DEEDBOX_SIGNING_KEY')
}

/** The path of the key file of a ledger under the name that it has now, or null: the folder has none. */
export function keyFileAtHand(folder: string, ledger: string): string | null {
  return [fileOf({ folder }, ledger), newFileOf({ folder }, ledger)].find(path => existsSync(path)) ?? null
}

/**
 * The origins that the keys in a value of `DEEDBOX_SIGNING_KEY` sign for; none of what is no key.
 */
export function namesInKeyText(text: string): string[] {
  return text.split(/\s+/).flatMap(line => {
    try {
      return [parseSigningKey(line).name]
    } catch {
      return []
    }
  })
}

/** Whether the folder holds a key that has signed for a ledger already. */
export function hasUsedKey(source: SigningKeySource, ledger: string): boolean {
  return source.text === undefined && existsSync(fileOf(source, ledger))
}

/** Says that the ledger is durable: from now on the key without it means that the ledger was lost. */
export function markKeyUsed(source: SigningKeySource, ledger: string): void {
  if (source.text !== undefined || !existsSync(newFileOf(source, ledger))) return
  renameSync(newFileOf(source, ledger), fileOf(source, ledger))
  syncFolder(source.folder)
}

/** Makes the first key of a new ledger and writes it to the folder with mode 0600; never over an existing file. */
export function createSigningKeys(source: SigningKeySource, ledger: string, origin: string): SigningKeys {
  const { privateKey } = generateSigningKey(origin)
  try {
    makeFolder(source.folder)
    writeFileSync(newFileOf(source, ledger), `${privateKey}\n`, { mode: 0o600, flag: 'wx', flush: true })
    syncFolder(source.folder)
  } catch (cause) {
    throw new LedgerError(
      'storage_failed',
      `The signing key of the new ledger cannot be written to ${source.folder}: ${String(cause)}`,
      { cause },
    )
  }
  return keysOf([privateKey], fileOf(source, ledger))
}

function keysOf(lines: string[], where: string): SigningKeys {
  try {
    const keys = lines.map(line => parseSigningKey(line))
    const signers = keys.map(key => ed25519Signer(key.name, key.seed))
    return {
      signers,
      verifierKeys: signers.map(signer => formatVerifierKey(signer.verifierKey)),
      firstSeed: keys[0]!.seed,
    }
  } catch (cause) {
    // The cause may quote the key; it goes no further than the cause.
    throw new LedgerError('signing_key_mismatch', `${where} does not hold a signing key (PRIVATE+KEY+…).`, {
      cause,
    })
  }
}

function readKeyFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new LedgerError('signing_key_missing', `The signing key ${path} cannot be read.`, { cause: error })
  }
}

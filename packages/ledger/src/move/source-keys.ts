import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkKeys } from '../sequencer/index.ts'
import { keyFileAtHand, loadSigningKeys, namesInKeyText } from '../signing/index.ts'
import type { LedgerRow } from '../store/index.ts'
import type { MoveManifest } from './wire.ts'

/**
 * The signing keys that travel: that of every ledger under the name that it has for good, and those of ledgers that a
 * recovery closed.
 *
 * @param text the value of `DEEDBOX_SIGNING_KEY`
 * @throws LedgerError `signing_key_missing`, `signing_key_mismatch`
 */
export function sourceKeys(
  keysFolder: string,
  text: string | undefined,
  ledgers: readonly LedgerRow[],
): MoveManifest['keys'] {
  const keys = ledgers.map(row => {
    const own = text !== undefined && namesInKeyText(text).includes(row.origin) ? text : undefined
    checkKeys(row, loadSigningKeys({ folder: keysFolder, text: own }, row.name), { keysFolder })
    const path = keyFileAtHand(keysFolder, row.name)
    return { name: `${row.name}.signing-key`, text: own ?? readFileSync(path ?? '', 'utf8') }
  })
  const closed = existsSync(keysFolder)
    ? readdirSync(keysFolder).filter(name => name.endsWith('.closed-signing-key'))
    : []
  return [...keys, ...closed.map(name => ({ name, text: readFileSync(join(keysFolder, name), 'utf8') }))]
}

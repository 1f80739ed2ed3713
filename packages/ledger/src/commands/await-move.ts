import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readyChange } from '../backup/index.ts'
import { LedgerError } from '../errors.ts'
import { makeFolder } from '../make-folder.ts'
import { awaitMove, type MovePlaces } from '../move/index.ts'
import { holdLock, sentenceOf } from '../store/index.ts'

/** The shortest token of the operator's own. */
const leastToken = 16

/**
 * `deedbox serve --await-move` until a ledger has arrived.
 *
 * @returns the port at which to serve it; undefined when it was told to stop
 * @throws LedgerError `ledger_exists` when the folder holds a ledger or a key of one, `invalid_option`
 */
export async function awaitLedger(
  places: MovePlaces,
  { host, port, shown }: { host: string; port: number; shown: (port: number) => string },
  stopped: Promise<void>,
): Promise<number | undefined> {
  checkEmpty(places)
  const own = process.env.DEEDBOX_MOVE_TOKEN || undefined
  if (own !== undefined && !(own.length >= leastToken && /^[\x21-\x7e]+$/.test(own))) {
    throw new LedgerError(
      'invalid_option',
      `DEEDBOX_MOVE_TOKEN has to be at least ${leastToken} visible ASCII characters.`,
    )
  }
  makeFolder(places.folder)
  const lock = join(places.folder, 'arriving.lock')
  const letGo = holdLock(lock)
  if (letGo === undefined) {
    throw new LedgerError(
      'invalid_option',
      `Another "deedbox serve --await-move" waits in ${places.folder} already.`,
    )
  }
  const stop = new AbortController()
  void stopped.then(() => stop.abort())
  try {
    const token = own ?? randomBytes(32).toString('base64url')
    return await awaitMove({
      places,
      host,
      port,
      token,
      signal: stop.signal,
      onFault: error => {
        const { cause } = error as { cause?: unknown }
        const why = cause === undefined ? '' : ` (${sentenceOf(cause)})`
        process.stderr.write(`A call of the move failed: ${sentenceOf(error)}${why}\n`)
      },
      onListening: actual => {
        process.stdout.write(waitingText(shown(actual), places.folder, own === undefined ? token : undefined))
      },
    })
  } finally {
    letGo()
    rmSync(lock, { force: true })
  }
}

function checkEmpty({ database, keysFolder, folder }: MovePlaces): void {
  const keys = existsSync(keysFolder)
    ? readdirSync(keysFolder).filter(name => name.includes('signing-key'))
    : []
  if (existsSync(database) || keys.length > 0 || readyChange({ folder }) !== null) {
    const what = existsSync(database) ? database : keysFolder
    throw new LedgerError(
      'ledger_exists',
      `A ledger is brought into an empty data folder only, and there is ${what}. Name another folder with --data.`,
    )
  }
  if (process.env.DEEDBOX_SIGNING_KEY) {
    throw new LedgerError(
      'invalid_option',
      'The signing key comes along with the ledger: leave out DEEDBOX_SIGNING_KEY.',
    )
  }
}

function waitingText(address: string, folder: string, token: string | undefined): string {
  const lines = [
    `Awaiting a ledger, for ${folder}`,
    '',
    `  address  ${address}`,
    '           Everything but the move is answered 503 until it is here.',
  ]
  if (token !== undefined) {
    lines.push(
      '',
      'The token for the move, shown this once. Where the ledger is now:',
      '',
      `  DEEDBOX_MOVE_TOKEN=${token} \\`,
      `    npx deedbox move audit.db --to ${address}`,
    )
  }
  return `${lines.join('\n')}\n\n`
}

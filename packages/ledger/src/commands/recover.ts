import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseReceipt } from '@deedbox/tlog'
import { type RecoverReport, recoverAfterRestore } from '../backup/index.ts'
import { LedgerError } from '../errors.ts'
import { sentenceOf } from '../store/index.ts'
import type { CommandTools } from './command.ts'
import { type DataFolder, ledgerPlaces } from './data-folder.ts'
import { guardFolder } from './guard-folder.ts'

const help = `Usage: deedbox recover --after-restore [options]

For a ledger that does not start with rolled_back or fork, when no newer copy exists. Closes the tree that is there,
for ever, and opens a new one beside it: another origin, another signing key. Its first leaf names the old origin, size
and root and what the guard had seen, so that the gap is on record. The old database is kept, to be read and verified.
API keys that are neither revoked nor expired go on working. The memory of idempotency keys does not go along: what
clients send again is stored, which is how events that the old copy lacks come back.

The ledger must be stopped. After a crash run the command again: it finishes what it began.

Options
  --after-restore       has to be given: there is no way back
  --data <folder>       the data folder of the ledger   (DEEDBOX_DATA, default ./.deedbox), or a file of openLedger
  --checkpoint <file>   a newer checkpoint, or a receipt (.tlog-proof), that somebody kept: shows that entries are missing
                        where this machine's rollback guard (DEEDBOX_GUARD) does not
  --without-guard       there is neither guard nor checkpoint, and you know that entries are missing; or the ledger was
                        moved to a server that is lost, and what that one signed is not known here
  --origin <name>       the name of the new ledger in the world   (default <32 hex>.deedbox.invalid/<ledger>)
  --json                the report as one JSON object
  --help                this text

Exit codes: 0 recovered, 1 it failed or there is nothing to recover, 2 it was called wrongly

Examples
  deedbox recover --after-restore --data /var/lib/deedbox
  deedbox recover --after-restore --data audit.db --without-guard
  deedbox recover --after-restore --checkpoint kept.checkpoint --origin ledger.example.com/acme-2
`

/** `deedbox recover`. Resolves to the exit code. */
export async function recover(args: string[], tools: CommandTools): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      'after-restore': { type: 'boolean' },
      data: { type: 'string' },
      checkpoint: { type: 'string' },
      'without-guard': { type: 'boolean' },
      origin: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  if (values['after-restore'] !== true) {
    throw new LedgerError(
      'invalid_usage',
      'Say --after-restore: this command closes a ledger for ever. "deedbox recover --help" tells when it is needed.',
    )
  }
  const { checkpoint, origin } = values
  const data = ledgerPlaces(values.data, process.env)
  const report = await recoverAfterRestore({
    folder: data.folder,
    database: data.database,
    keysFolder: data.keys,
    guardFolder: guardFolder(process.env),
    ...(checkpoint === undefined ? {} : { kept: readCheckpoint(checkpoint) }),
    withoutGuard: values['without-guard'] === true,
    ...(origin === undefined ? {} : { origin }),
    onProgress: (what, done, total) => tools.progress(what, done, total),
  })
  tools.progressEnd()
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : textOf(report, data))
  return 0
}

/** The note in a file that holds a checkpoint or a receipt; its signature is checked against the ledger later. */
function readCheckpoint(file: string): string {
  try {
    const text = readFileSync(file, 'utf8')
    return text.startsWith('c2sp.org/tlog-proof') ? parseReceipt(text).checkpoint : text
  } catch (cause) {
    throw new LedgerError(
      'invalid_usage',
      `--checkpoint: ${file} cannot be read as a checkpoint or receipt: ${sentenceOf(cause)}.`,
      { cause },
    )
  }
}

function textOf({ closed, seenSize, opened, apiKeys, handover }: RecoverReport, data: DataFolder): string {
  const { folder, database, keys } = data
  const isFile = database !== join(folder, 'ledger.db')
  const gap =
    seenSize === null
      ? 'nothing shows how far it had gone'
      : `${seenSize} had been signed; what is not here is lost unless its sender sends it again`
  const lines = [
    `The old ledger is closed, a new one is open, in ${isFile ? database : folder}`,
    '',
    `  closed        ${closed.origin}`,
    `                ${closed.size} entries in ${closed.file}; ${gap}`,
    `  opened        ${opened.origin}`,
    `  verifier key  ${opened.verifierKey}`,
    '                Hand it out: the old key does not fit the new ledger.',
    handover
      ? '                The first leaf holds it signed with the old key, for those who know only that one.'
      : '                The old signing key was not at hand, so nothing but your word connects the two.',
    `  API keys      ${apiKeys} carried over; revoked and expired ones stay behind`,
    '',
    'Idempotency keys of the old ledger are unknown to the new one: what clients send again is stored again.',
    `Keep ${closed.file}${closed.key === null ? '' : ` and ${basename(keys)}/${closed.key}`}: receipts of the old ledger are checked with its verifier key as before.`,
    'If DEEDBOX_SIGNING_KEY or DEEDBOX_ORIGIN are set, take them away: the new key is a file in the keys folder.',
    isFile ? `Next: openLedger('${database}')` : `Next: deedbox serve --data ${folder}`,
  ]
  return `${lines.join('\n')}\n`
}

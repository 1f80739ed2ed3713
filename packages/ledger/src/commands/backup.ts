import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type BackupReport, writeBackup } from '../backup/index.ts'
import { LedgerError } from '../errors.ts'
import { readMoveMark } from '../store/index.ts'
import type { CommandTools } from './command.ts'
import { ledgerPlaces } from './data-folder.ts'
import { guardFolder } from './guard-folder.ts'

const help = `Usage: deedbox backup <target> [options]

Copies a ledger into a new folder, while it is running or not: one committed state, re-read and verified in full before
the folder gets its name. In it: ledger.db, its newest checkpoint, its verifier key (vkey) and manifest.json.

Options
  --data <folder>   the data folder of the ledger   (DEEDBOX_DATA, default ./.deedbox), or a file of openLedger
  --with-keys       also copies the signing keys. Who has such a backup can sign as the ledger: keep it like the keys.
                    Without them the ledger can be read and verified, but not continued
  --json            the report as one JSON object
  --help            this text

The guard of this machine (DEEDBOX_GUARD) is compared too: a ledger that lacks its newest entries is not backed up,
unless it was moved to a server, which goes on with it.

Exit codes: 0 written and verified, 1 it failed and nothing was kept, 2 it was called wrongly

Examples
  deedbox backup /backups/ledger-2026-11-20
  deedbox backup /media/usb/ledger --data /var/lib/deedbox --with-keys
`

/** `deedbox backup`. Resolves to the exit code. */
export async function backup(args: string[], tools: CommandTools): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      'with-keys': { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const [target, ...more] = positionals
  if (target === undefined || target === '' || more.length > 0) {
    throw new LedgerError(
      'invalid_usage',
      'Name one folder for the backup. "deedbox backup --help" shows how.',
    )
  }
  const data = ledgerPlaces(values.data, process.env)
  const report = await writeBackup({
    database: data.database,
    keysFolder: data.keys,
    target: resolve(target),
    withKeys: values['with-keys'] === true,
    // It may have seen the server go on, on the same machine: a moved file is not old.
    guardFolder: readMoveMark(data.database)?.state === 'moved' ? null : guardFolder(process.env),
    version: ownVersion(),
    onProgress: (what, done, total) => tools.progress(what, done, total),
  })
  tools.progressEnd()
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : textOf(report))
  return 0
}

function textOf({ target, bytes, ledgers, keys }: BackupReport): string {
  const lines = [`A verified backup, in ${target}`, '']
  for (const { origin, size, root, newestAt } of ledgers) {
    lines.push(
      `  ledger   ${origin}`,
      `  entries  ${size}${newestAt === null ? '' : `, the newest recorded ${newestAt}`}`,
      `  root     ${root}`,
    )
  }
  lines.push(`  size     ${bytes.toLocaleString('en')} bytes`, '')
  if (keys.length > 0) {
    lines.push(
      `It holds the signing key (${keys.join(', ')}). Who has this folder can sign as the ledger: keep it like the key.`,
    )
  } else {
    lines.push(
      'It holds no signing key: the ledger can be verified and read from it, but not continued without the key. Keep a',
      'copy of the keys folder in another safe place, or use --with-keys.',
    )
  }
  return `${lines.join('\n')}\n`
}

function ownVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}

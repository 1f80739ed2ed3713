import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type RestoreReport, restoreBackup } from '../backup/index.ts'
import { LedgerError } from '../errors.ts'
import type { CommandTools } from './command.ts'
import { dataFolder } from './data-folder.ts'
import { guardFolder } from './guard-folder.ts'

const help = `Usage: deedbox restore <backup> --data <folder>

Puts a backup into a data folder that holds no ledger. The copy is re-read and verified in full before it gets its name.

Options
  --data <folder>   where the ledger is to be; has to be named here   (or DEEDBOX_DATA)
  --json            the report as one JSON object
  --help            this text

Signing keys come along if the backup has them and the folder has none. If this machine's rollback guard
(DEEDBOX_GUARD) has seen more than the backup holds, "deedbox serve" will refuse with rolled_back; the output says so.

Exit codes: 0 restored and verified, 1 it failed and no ledger is there, 2 it was called wrongly

Examples
  deedbox restore /backups/ledger-2026-11-20 --data /var/lib/deedbox
  DEEDBOX_GUARD=off deedbox restore /backups/ledger-2026-11-20 --data ./a-look-at-it
`

/** `deedbox restore`. Resolves to the exit code. */
export async function restore(args: string[], tools: CommandTools): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { data: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const [backup, ...more] = positionals
  if (backup === undefined || backup === '' || more.length > 0) {
    throw new LedgerError('invalid_usage', 'Name one backup. "deedbox restore --help" shows how.')
  }
  if (values.data === undefined && !process.env.DEEDBOX_DATA) {
    throw new LedgerError('invalid_usage', 'Name the folder to restore into: --data <folder>.')
  }
  const data = dataFolder(values.data, process.env)
  const report = await restoreBackup({
    backup: resolve(backup),
    folder: data.folder,
    database: data.database,
    keysFolder: data.keys,
    guardFolder: guardFolder(process.env),
    onProgress: (what, done, total) => tools.progress(what, done, total),
  })
  tools.progressEnd()
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : textOf(report, data.folder))
  return 0
}

function textOf({ ledgers }: RestoreReport, folder: string): string {
  const lines = [`Restored and verified, in ${folder}`, '']
  for (const { origin, size, newestAt } of ledgers) {
    lines.push(
      `  ledger   ${origin}`,
      `  entries  ${size}${newestAt === null ? '' : `, the newest recorded ${newestAt}`}`,
    )
  }
  lines.push('', 'What comes next')
  for (const ledger of ledgers) lines.push(...whatNext(ledger, folder))
  return `${lines.join('\n')}\n`
}

function whatNext(ledger: RestoreReport['ledgers'][number], folder: string): string[] {
  const { name, size, guardSize, hasKey, standing, newestAt } = ledger
  const lines = hasKey
    ? []
    : [
        `  Its signing key is not there. Put ${name}.signing-key into ${folder}/keys or set DEEDBOX_SIGNING_KEY;`,
        '  without it the ledger can be verified, not continued.',
      ]
  const recover = `  deedbox recover --after-restore --data ${folder}`
  switch (standing) {
    case 'extends':
      return [
        ...lines,
        `  Nothing beyond these ${size} entries was signed on this machine: deedbox serve --data ${folder} goes on.`,
      ]
    case 'behind':
      return [
        ...lines,
        `  The rollback guard of this machine has seen ${guardSize} entries: ${(guardSize ?? 0) - size} are missing here, and "deedbox serve"`,
        '  will refuse with rolled_back. If there is a newer copy, restore that one. If there is none, close this tree and',
        '  open a new one that says so:',
        recover,
      ]
    case 'forked':
      return [
        ...lines,
        `  The rollback guard of this machine has seen another history of ${guardSize} entries: "deedbox serve" will refuse with`,
        '  fork. Find out which of the two is the true one. If no copy extends the guard, close this tree and open a new one:',
        recover,
      ]
    case 'unknown':
      return [
        ...lines,
        '  This machine has no rollback guard of this ledger, so nobody here can tell whether entries are missing. If any was',
        `  written after ${newestAt ?? 'this backup'}, on whatever machine, do not serve it: what it signs next would be a second`,
        '  history. Close it, with a newer checkpoint or receipt if somebody kept one:',
        `${recover} --checkpoint <file>`,
        '  Only if this is all there ever was, go on with deedbox serve.',
      ]
  }
}

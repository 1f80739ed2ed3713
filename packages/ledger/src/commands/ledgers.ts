import { parseArgs } from 'node:util'
import { LedgerError } from '../errors.ts'
import { type LedgerRequest, type LedgerSummary, ledgerSummaries } from '../further-ledgers.ts'
import { openLedger } from '../open-ledger.ts'
import { openSqliteReader } from '../store/index.ts'
import { dataFolder } from './data-folder.ts'
import { remoteLedgers } from './remote-ledgers.ts'

/** `deedbox ledgers --help`. */
const ledgersHelp = `Usage: deedbox ledgers list [options]
       deedbox ledgers create <name> --raw [--origin <origin>] [options]

Lists the ledgers of a file, or adds a raw one to it: a log of bytes as they come, up to 65,535 of them an entry, for
other people's formats. The file's first ledger keeps the events and records each ledger that is added as a leaf.

Options
  --raw              the ledger takes raw bytes; the only kind that can be added (say it, so that it is no accident)
  --origin <origin>  its name in the world, fixed for life (default <32 hex>.deedbox.invalid/<name>)
  --data <folder>    the data folder of a ledger, running or not    (DEEDBOX_DATA, default ./.deedbox)
  --url <base URL>   a running ledger instead of a folder (DEEDBOX_URL); DEEDBOX_API_KEY is a key with scope admin
  --json             one JSON object a line, as in a pipe
  --help             this text

Exit codes: 0 all is well, 1 the command failed, 2 it was called wrongly.

Examples
  deedbox ledgers create certs --raw --origin log.example.com/certs
  deedbox ledgers list --url https://ledger.example.com
`

/** `deedbox ledgers`. */
export async function ledgers(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      raw: { type: 'boolean' },
      origin: { type: 'string' },
      data: { type: 'string' },
      url: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(ledgersHelp)
    return 0
  }
  const [action, ...names] = positionals
  const isCreate = action === 'create'
  if ((!isCreate && action !== 'list') || names.length !== (isCreate ? 1 : 0)) {
    throw usage('Say "list", or "create" and one name.')
  }
  if (isCreate && values.raw !== true) {
    throw usage('Only raw ledgers can be added: a file has one ledger of events, its first. Say --raw.')
  }
  if (!isCreate && (values.raw !== undefined || values.origin !== undefined)) {
    throw usage('--raw and --origin go with "create".')
  }
  if (values.data !== undefined && values.url !== undefined) {
    throw usage('Name a folder with --data or a running ledger with --url, not both.')
  }
  const request: LedgerRequest | undefined = isCreate
    ? { name: names[0]!, kind: 'raw', ...(values.origin === undefined ? {} : { origin: values.origin }) }
    : undefined
  const url = values.url ?? (values.data === undefined ? process.env.DEEDBOX_URL || undefined : undefined)
  const found = await (url === undefined ? inFolder(values.data, request) : remoteLedgers(url, request))
  process.stdout.write(values.json || !process.stdout.isTTY ? jsonLines(found) : table(found))
  return 0
}

async function inFolder(
  folder: string | undefined,
  request: LedgerRequest | undefined,
): Promise<LedgerSummary[]> {
  const data = dataFolder(folder, process.env)
  // Reading first: a folder that was misspelt must not become a new ledger.
  const reader = openSqliteReader(data.database)
  let found: LedgerSummary[]
  try {
    found = ledgerSummaries(reader)
  } finally {
    reader.close()
  }
  const [first] = found
  if (request === undefined || first === undefined) return found
  const ledger = await openLedger(data.database, { name: first.name, keysFolder: data.keys })
  try {
    return [await ledger.createLedger(request, 'command line')]
  } finally {
    await ledger.close()
  }
}

function jsonLines(ledgers: readonly LedgerSummary[]): string {
  return ledgers
    .map(({ verifierKeys, createdAt, ...same }) =>
      JSON.stringify({ ...same, verifier_keys: verifierKeys, created_at: createdAt }),
    )
    .map(line => `${line}\n`)
    .join('')
}

function table(ledgers: readonly LedgerSummary[]): string {
  const width = Math.max(...ledgers.map(({ name }) => name.length), 4)
  const line = (name: string, kind: string, size: string, rest: string) =>
    `${name.padEnd(width)}  ${kind.padEnd(6)}  ${size.padStart(10)}  ${rest}\n`
  const rows = ledgers.map(({ name, kind, size, verifierKeys }) =>
    line(name, kind, String(size), verifierKeys.join('\n'.padEnd(width + 23))),
  )
  return line('name', 'kind', 'entries', 'verifier keys') + rows.join('')
}

function usage(sentence: string): LedgerError {
  return new LedgerError('invalid_usage', `${sentence} "deedbox ledgers --help" shows how.`)
}

import { parseArgs } from 'node:util'
import type { ApiKeyView } from '../access/index.ts'
import { LedgerError } from '../errors.ts'
import { readKeySettings, readOverlap } from './key-arguments.ts'
import { type KeyDesk, type NewKey, openKeyDesk } from './key-desk.ts'
import { keyTable } from './key-table.ts'

/** `deedbox keys --help`. */
const keysHelp = `Usage: deedbox keys <create | list | rotate | revoke> [options]

Administers the API keys of a ledger, and of the raw ledgers beside it. Each change is an entry of the ledger. The text of a new key is printed
to standard output this once; what is stored is its SHA-256.

  deedbox keys create --name <name> --scopes <scope,…> [--expires <span or time>] [--ledger <name>]
                      [--principal <who>]
  deedbox keys list
  deedbox keys rotate <key_id> [--overlap <span>]
  deedbox keys revoke <key_id>

Options
  --name <name>        what the list calls it, 1 to 100 characters
  --scopes <scope,…>   what it may do: write, read, verify, admin, erase
  --expires <when>     a span such as 90d, 24h or 30m, or a time as 2030-01-31T12:00:00Z; without it: never
  --ledger <name>      the ledger of the file that it is for (default the first); keys of a raw one have no admin, erase
  --principal <who>    create, with --data: who writes with it, default somebody new. "in-process" is who wrote to the file
                       with openLedger: what that service sends again over HTTP is recognised
  --overlap <span>     for so long the old key goes on working beside the new one; 0: not at all (default 24h)
  --data <folder>      the ledger's data folder, or a file of openLedger, whether or not it is running   (DEEDBOX_DATA, default ./.deedbox)
  --url <base URL>     a running ledger; DEEDBOX_API_KEY is a key with admin    (DEEDBOX_URL)
  --json               prints one JSON object a line, also on a terminal
  --help               this text

A revoked key is refused within a second by every process that serves the ledger. A rotated key keeps its writer,
so events sent again under the new key are still recognised; it lives as long as the old one was to live.

Exit codes: 0 done, 1 the ledger refused or cannot be reached, 2 called wrongly.

Examples
  export DEEDBOX_API_KEY=$(deedbox keys create --name ci --scopes write,read --expires 90d)
  deedbox keys rotate key_PRh2x9CV3EKZ --overlap 1h
  DEEDBOX_API_KEY=deed_live_… deedbox keys list --url https://ledger.example
`

const options = {
  name: { type: 'string' },
  scopes: { type: 'string' },
  expires: { type: 'string' },
  ledger: { type: 'string' },
  principal: { type: 'string' },
  overlap: { type: 'string' },
  data: { type: 'string' },
  url: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

/** The options that only one of the actions takes. */
const actionOptions: Readonly<Record<string, readonly (keyof typeof options)[]>> = {
  create: ['name', 'scopes', 'expires', 'ledger', 'principal'],
  list: [],
  rotate: ['overlap'],
  revoke: [],
}

/** Creates, lists, rotates and revokes API keys, on the data folder or over HTTP. */
export async function keys(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  if (values.help) {
    process.stdout.write(keysHelp)
    return 0
  }
  const [action = '', ...named] = positionals
  const own = actionOptions[action]
  if (own === undefined) {
    throw new LedgerError('invalid_usage', 'deedbox keys create, list, rotate or revoke; --help tells more.')
  }
  const foreign = ['name', 'scopes', 'expires', 'ledger', 'principal', 'overlap'] as const
  const odd = foreign.find(name => values[name] !== undefined && !own.includes(name))
  if (odd !== undefined) throw new LedgerError('invalid_usage', `"deedbox keys ${action}" takes no --${odd}.`)
  const isAboutOne = action === 'rotate' || action === 'revoke'
  if (named.length !== (isAboutOne ? 1 : 0)) {
    const wanted = isAboutOne ? 'the id of one key, as "deedbox keys list" shows it' : 'no further word'
    throw new LedgerError('invalid_usage', `"deedbox keys ${action}" takes ${wanted}.`)
  }
  const settings = action === 'create' ? readKeySettings(values, Date.now()) : undefined
  const overlap = readOverlap(values.overlap)
  refuseKeyText(named[0])

  const desk = await openKeyDesk(values, process.env, say)
  try {
    if (settings !== undefined) {
      const made = await desk.create(settings)
      printNew(
        made,
        `The key ${made.key_id} (${made.name}) has the scopes ${made.scopes.join(', ')}`,
        values.json,
      )
    } else if (action === 'list') printList(await desk.list(), values.json)
    else {
      const id = await idOf(desk, named[0]!)
      if (action === 'rotate') await rotate(desk, id, overlap, values.json)
      else printRevoked(await desk.revoke(id), values.json)
    }
  } finally {
    await desk.close()
  }
  return 0
}

/** Somebody may paste the key itself. It must not travel in an address, nor stand in an error. */
function refuseKeyText(id: string | undefined): void {
  if (id?.startsWith('deed_') !== true) return
  throw new LedgerError(
    'invalid_usage',
    'That is the text of a key. Name the key by its id, key_…, as "deedbox keys list" shows it.',
  )
}

async function idOf(desk: KeyDesk, id: string): Promise<string> {
  const known = await desk.list()
  if (known.some(view => view.key_id === id)) return id
  const namesakes = known.filter(view => view.name === id).map(view => view.key_id)
  throw new LedgerError(
    'unknown_key',
    namesakes.length === 0
      ? `The ledger has no API key with the id "${id}". "deedbox keys list" shows them.`
      : `"${id}" is a name, and names need not be unique. Name the key by its id: ${namesakes.join(' or ')}.`,
  )
}

async function rotate(
  desk: KeyDesk,
  id: string,
  overlap: number | undefined,
  json: boolean | undefined,
): Promise<void> {
  const made = await desk.rotate(id, overlap)
  const old = (await desk.list()).find(view => view.key_id === id)
  const end = old?.state === 'replaced' ? `works until ${old.expires_at}` : 'no longer works'
  printNew(made, `The key ${made.key_id} (${made.name}) takes the place of ${id}, which ${end}`, json)
}

function printNew(made: NewKey, sentence: string, json: boolean | undefined): void {
  process.stdout.write(json ? `${JSON.stringify(made)}\n` : `${made.key}\n`)
  const end = made.expires_at === null ? 'never expires' : `expires at ${made.expires_at}`
  say(`${sentence}. It ${end}. Its text is shown this once: keep it now.`)
}

function printList(views: ApiKeyView[], json: boolean | undefined): void {
  if (json || !process.stdout.isTTY) {
    process.stdout.write(views.map(view => `${JSON.stringify(view)}\n`).join(''))
  } else process.stdout.write(keyTable(views))
}

function printRevoked(view: ApiKeyView, json: boolean | undefined): void {
  if (json) process.stdout.write(`${JSON.stringify(view)}\n`)
  else say(`The key ${view.key_id} (${view.name}) is revoked; within a second every process refuses it.`)
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
}

import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { LedgerError } from '../errors.ts'
import { cancelMove, type MoveReport, moveLedger } from '../move/index.ts'
import type { CommandTools } from './command.ts'
import { filePlaces } from './data-folder.ts'
import { guardFolder } from './guard-folder.ts'

const help = `Usage: deedbox move <file|folder> --to <url> [options]

Carries a ledger to a server that awaits one ("deedbox serve --await-move"), with its origin, signing keys, API keys and
raw ledgers: receipts and checkpoints stay true, and the server goes on from the same entry. The file is closed first,
so it has to be in use by nobody, and stays as a ledger that can be read and verified and is written to no more.

Options
  --to <url>           the server, for instance https://ledger.example
  --token-file <file>  holds the token that the server printed; default: the variable DEEDBOX_MOVE_TOKEN
  --keys <folder>      the signing keys; default <file>.keys, or the keys folder of a data folder
  --insecure           allows http:// to another machine: signing key and token can then be read on the way
  --cancel             gives up a move that was not finished, and opens the file for writing again
  --json               the report as one JSON object
  --help               this text

Whatever cuts it off, run it again: it finds out how far it came and finishes. It ends with 0 when the server has the
ledger, and says "outcome unknown" only when nobody could answer; the file stays closed then.

Exit codes: 0 moved, 1 it failed, 2 it was called wrongly

Examples
  DEEDBOX_MOVE_TOKEN=… deedbox move audit.db --to https://ledger.example
  deedbox move .deedbox --to http://localhost:8000 --token-file token
`

/** `deedbox move`. Resolves to the exit code. */
export async function move(args: string[], tools: CommandTools): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      to: { type: 'string' },
      'token-file': { type: 'string' },
      keys: { type: 'string' },
      insecure: { type: 'boolean' },
      cancel: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const [source, ...more] = positionals
  if (source === undefined || source === '' || more.length > 0) {
    throw new LedgerError(
      'invalid_usage',
      'Name one ledger file or data folder. "deedbox move --help" shows how.',
    )
  }
  if (values.to === undefined) {
    throw new LedgerError('invalid_usage', 'Name the server that awaits the ledger: --to <url>.')
  }
  const url = addressOf(values.to, values.insecure === true)
  const places = sourcePlaces(resolve(source), values.keys)
  const token = tokenOf(values['token-file'], process.env)
  if (values.cancel) {
    await cancelMove({ database: places.database, url, token })
    process.stdout.write(
      values.json
        ? `${JSON.stringify({ canceled: true, database: places.database })}\n`
        : `The move was given up. ${places.database} can be written to as before.\n`,
    )
    return 0
  }
  if (token === undefined) {
    throw new LedgerError(
      'invalid_usage',
      'Set DEEDBOX_MOVE_TOKEN to the token that the server printed, or use --token-file.',
    )
  }
  const report = await moveLedger({
    ...places,
    signingKey: process.env.DEEDBOX_SIGNING_KEY || undefined,
    guardFolder: guardFolder(process.env),
    url,
    token,
    onProgress: (what, done, total) => tools.progress(what, done, total),
  })
  tools.progressEnd()
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : textOf(report))
  return 0
}

function textOf({ database, url, ledgers, before }: MoveReport): string {
  const lines = [before ? `Moved already, to ${url}` : `Moved, to ${url}`, '']
  for (const { origin, size, root } of ledgers) {
    lines.push(`  ledger   ${origin}`, `  entries  ${size}`, `  root     ${root}`)
  }
  lines.push(
    '',
    `Both sides have verified every entry. ${database} can be read and verified from now on, not written to.`,
    `Where it was opened with openLedger, name the server: ledger: { url: '${url}', apiKey: process.env.DEEDBOX_API_KEY }.`,
    'Its API keys go on working; if it had none, its first is the DEEDBOX_BOOTSTRAP_KEY of the server, or one that it printed.',
    'What services had not sent yet waits in their spools: "deedbox outbox list" shows it, and this sends it, with a key:',
    ...ledgers
      .slice(0, 1)
      .map(({ origin }) => `  deedbox outbox replay --ledger "in this process: ${origin}" --to ${url}`),
  )
  return `${lines.join('\n')}\n`
}

/** @throws LedgerError `invalid_usage` when it is no base URL, or one on which others could read the signing key */
function addressOf(text: string, insecure: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw new LedgerError(
      'invalid_usage',
      '--to takes the base URL of a server, such as https://ledger.example.',
    )
  }
  const isHere = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  if (url.protocol === 'http:' && !isHere && !insecure) {
    throw new LedgerError(
      'invalid_usage',
      `The signing key travels along, and everybody on the way to ${url.host} could read it over http. Use https, or a ` +
        'tunnel to a port of this machine; --insecure sends it all the same.',
    )
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

function tokenOf(file: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (file === undefined) return env.DEEDBOX_MOVE_TOKEN || undefined
  try {
    return readFileSync(file, 'utf8').trim() || undefined
  } catch (cause) {
    throw new LedgerError('invalid_usage', `The token file ${file} cannot be read.`, { cause })
  }
}

function sourcePlaces(source: string, keys: string | undefined): { database: string; keysFolder: string } {
  const isFolder = statSync(source, { throwIfNoEntry: false })?.isDirectory() === true
  const places = filePlaces(isFolder ? join(source, 'ledger.db') : source)
  return { database: places.database, keysFolder: keys === undefined ? places.keys : resolve(keys) }
}

import { readFileSync } from 'node:fs'
import { chest } from './chest.ts'
import { loadLedger } from './ledger-package.ts'
import { logs } from './logs.ts'
import { outbox } from './outbox.ts'
import { Progress } from './progress.ts'
import { trace } from './trace.ts'
import { UsageError } from './usage-error.ts'
import { verify } from './verify.ts'
import { versionJson } from './version-json.ts'

/** What the ledger package does; it need not be installed beside a service that only sends events. */
const ledgerCommands = [
  'serve',
  'events',
  'export',
  'stats',
  'producers',
  'keys',
  'ledgers',
  'backup',
  'restore',
  'recover',
  'move',
  'tamper-lab',
]

const help = `Usage: deedbox <command> [options]

Commands
  serve       run the ledger server on an embedded SQLite file
  events      show the newest events that fit, and follow those that come
  export      write events with their proofs to a file
  stats       the ledger at a glance: how much, how old, what of
  producers   which processes send events, and which of their events never came
  keys        create, list, rotate and revoke API keys
  ledgers     list the ledgers of a file, or add a raw one
  backup      copy a running ledger into a new folder, and verify the copy
  restore     put a backup into a data folder that holds no ledger
  recover     close a ledger that is an old copy, and open a new one that says so
  move        carry a ledger to a server, with its keys, receipts and history
  tamper-lab  attack a throw-away ledger in every known way, and see what is caught
  verify      check a receipt, an export, a ledger's data or a log over HTTP; needs no trust
  logs        log lines that fit, for people or for jq; follows files, groups by request
  outbox      events that wait in a service's spool, and those that a ledger refused: list, replay, drop
  chest       tracked variables in a database: show them, or bring them to another place, losing none
  trace       one request from all that is known of it: its log lines, variables and events, on one timeline
  version-json  the version object that a service shows at /__version__, from git and the variables of CI

Options
  --help       this text; "deedbox <command> --help" tells more
  --version    the version of this program

Examples
  deedbox serve
  deedbox events --type error --follow
  deedbox logs app.log --level WARNING --group
  deedbox outbox list
  deedbox chest export sqlite:vars.db --to jsonl:vars.jsonl
  deedbox trace 0ee7e0c4-6d5f-4f0a-9a3c-2f5a4a8a1d55 app.log
  deedbox verify receipt.tlog-proof --key 'ledger.example/acme+f1d8e151+AQOh…'
  deedbox verify --data .deedbox --key ledger.vkey

Exit codes: 0 all is well, 1 the command failed, 2 it was called wrongly; "deedbox verify" has one for each verdict.
`

/** The `deedbox` command. Resolves to the exit code; never throws. */
export async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args
  try {
    switch (name) {
      case 'verify':
        return await verify(rest)
      case 'logs':
        return await logs(rest)
      case 'outbox':
        return await outbox(rest)
      case 'chest':
        return await chest(rest)
      case 'trace':
        return await trace(rest)
      case 'version-json':
        return versionJson(rest)
      case '--version':
        process.stdout.write(`${ownVersion()}\n`)
        return 0
      case undefined:
      case 'help':
      case '--help':
      case '-h':
        process.stdout.write(help)
        return name === undefined ? 2 : 0
      default:
        if (ledgerCommands.includes(name)) return await runLedgerCommand(name, rest)
        throw new UsageError(`There is no command "${name}". "deedbox --help" lists them.`)
    }
  } catch (error) {
    return report(error, name)
  }
}

async function runLedgerCommand(name: string, args: string[]): Promise<number> {
  const command = (await loadLedger(name)).commands[name]
  if (command === undefined) {
    throw new UsageError(
      `The ledger package at hand has no command "${name}": npm install @deedbox/ledger@${ownVersion()}`,
    )
  }
  const progress = new Progress(process.stderr)
  try {
    return await command(args, {
      progress: (what, done, total) => progress.show(what, done, total),
      progressEnd: () => progress.clear(),
    })
  } finally {
    progress.clear()
  }
}

/** Errors that have a code speak for themselves; anything else is a fault of ours and shows where it happened. */
function report(error: unknown, command: string | undefined): number {
  const { code, message, stack } = error as { code?: unknown; message?: unknown; stack?: unknown }
  const isUsage =
    error instanceof UsageError || code === 'invalid_usage' || String(code).startsWith('ERR_PARSE_ARGS')
  const known = isUsage || (typeof code === 'string' && !code.startsWith('ERR_'))
  const said = String(code).startsWith('ERR_PARSE_ARGS')
    ? argumentProblem(String(message), command)
    : String(message)
  process.stderr.write(`deedbox: ${known ? said : String(stack ?? error)}\n`)
  return isUsage ? 2 : 1
}

/** What Node's parser says first; what it says next is about its own rules. */
function argumentProblem(message: string, command = '<command>'): string {
  const [first = message] = message.split(/\. |\n/)
  return `${first.replace(/\.$/, '')}. "deedbox ${command} --help" shows the options.`
}

function ownVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}

import { exitCodes } from '@deedbox/tlog'

/** `deedbox verify --help`. */
export const verifyHelp: string = `Usage: deedbox verify <receipt.tlog-proof | export.jsonl> --key <verifier key> [--checkpoint <file>]
       deedbox verify --data <folder> --key <verifier key> [--ledger <name>] [--checkpoint <file>] [--resume <file>]
       deedbox verify --url <address> --key <verifier key> [--checkpoint <file>] [--resume <file>]

Checks offline a receipt or every line of an export; re-reads everything in a ledger's data folder: every leaf, every
stored part, every search column and index, every tile, every published checkpoint, idempotency and API keys; or reads
a whole log over HTTP: every entry, every tile, the root and its signature.

Options
  --key <key>          the ledger's verifier key, or a file that holds it; may be given several times.
                       Without it the key that comes with the data is used, and the verdict is at best ok_unpinned
  --data <folder>      the data folder of a ledger, or its database file (it may be running)
  --ledger <name>      only this ledger of the file. Without it all of them are verified, each against the --key whose
                       name is its origin, and the worst verdict decides the exit code
  --url <address>      of a ledger, http://host/ledgers/main, or of a server, whose ledger main is meant. An API key
                       in DEEDBOX_API_KEY is sent there if it begins with deed_ and DEEDBOX_URL, if set, is that server
  --checkpoint <file>  a checkpoint that you kept: the ledger has to extend it. So it has to extend the one in this
                       machine's rollback guard, if there is one (DEEDBOX_GUARD: its folder, or "off"; --data only)
  --save-checkpoint <file>  keep the newest checkpoint there if all is well, to be given to the next run
  --resume <file>      keep the progress there, and go on from it; removed at the end. Ctrl-C stops
  --witness <key>      a witness that has to have signed the checkpoint; several: all of them
  --json               the report as one JSON object
  --help               this text

Exit codes
${Object.entries(exitCodes)
  .map(([verdict, code]) => `  ${String(code).padStart(3)}  ${verdict}`)
  .join('\n')}
    1  the command failed      2  it was called wrongly      130  stopped, with its progress kept

Examples
  deedbox verify receipt.tlog-proof --key 'ledger.example/acme+f1d8e151+AQOh…'
  deedbox verify march.jsonl --key ledger.vkey
  deedbox verify --data .deedbox --key ledger.vkey --checkpoint last-month.checkpoint
  deedbox verify --url https://ledger.example --key ledger.vkey --checkpoint kept --save-checkpoint kept
`

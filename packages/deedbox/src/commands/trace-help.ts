/** `deedbox trace --help`. */
export const traceHelp: string = `Usage: deedbox trace <request id> [files...] [--data <folder> | --url <base URL>]
                     [--chest <URL>] [options]

Shows one request from all that is known of it: its lines in log files (see "deedbox logs --help" for what is read; "-"
is standard input), its events in a ledger and its tracked variables in chests, in time order, each with where it comes
from and how many milliseconds after the request's start. An event stands where its service says that it occurred
(meta.occurred_at, or timestamp in a payload that is JSON), else where the ledger recorded it; variables stand at the end
of their request.

Options
  --data <folder>   the data folder of a ledger; its server may be running. Needs the package @deedbox/ledger
  --url <base URL>  a running ledger instead (DEEDBOX_URL), with an API key of scope read in DEEDBOX_API_KEY
  --chest <URL>     a database of tracked variables, sqlite:vars.db for one; may be given again. "deedbox chest --help"
                    lists the forms
  --output <how>    pretty or json (one object for each line, event or variable); default: pretty on a terminal, json
                    elsewhere
  --color <when>    auto (default: on a terminal, unless NO_COLOR is set, or if FORCE_COLOR is), always, never
  --help            this text

Exit codes: 0 shown, also if nothing is known of the request; 1 a file, the ledger or a chest could not be read, the
rest is shown; 2 it was called wrongly.

Examples
  deedbox trace 0ee7e0c4-6d5f-4f0a-9a3c-2f5a4a8a1d55 app.log
  deedbox trace 0ee7e0c4-6d5f-4f0a-9a3c-2f5a4a8a1d55 app.log worker.log.1.gz --data .deedbox
  deedbox trace 0ee7e0c4-6d5f-4f0a-9a3c-2f5a4a8a1d55 app.log --chest sqlite:vars.db
  DEEDBOX_API_KEY=deed_… deedbox trace 0ee7e0c4-6d5f-4f0a-9a3c-2f5a4a8a1d55 --url https://ledger.example
`

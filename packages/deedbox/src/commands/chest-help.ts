/** `deedbox chest --help`. */
export const chestHelp: string = `Usage: deedbox chest show <chest> [options]
       deedbox chest export <chest> --to <chest> [options]

Tracked variables where services write them: shows them, or brings them to another place. A chest is named by its URL:

  sqlite:vars.db?table=flask_chest                      the table may be left out: these are the usual ones
  postgres://user@host/database?table=tracked_variables
  mysql://user@host/database?table=tracked_variables    or mariadb://
  mongodb://host/database?table=tracked_variables       or mongodb+srv://; the table is a collection
  influx+https://host:8086?org=my-org&bucket=my-bucket  or influx+http://, and &measurement=sample
  https://host/path                                     an endpoint that takes entries; or http://
  jsonl:out.jsonl
  csv:out.csv

All can be written; those that keep rows can be shown and exported. Passwords and tokens may stand in the URL, or in the
variables that the drivers read (PGPASSWORD, INFLUX_TOKEN); they are printed nowhere.

show
  --request-id <id>   only entries of this request
  --name <name>       only this variable
  --limit <n>         the newest so many that fit. Default 50
  --json              JSON Lines, whole; else a table in which long values are cut

export
  --to <chest>        where entries go. What it has confirmed is deleted from the first chest, and nothing else. A place
                      that does not know entries by their id may get some twice when a run is cut off
  --batch <n>         entries of one write. Default 500
  --once              one run, until nothing is left. The default
  --watch             go on: a run every five minutes
  --interval <span>   go on, with another span between runs: 30s, 5m, 1h
  --cron <pattern>    go on, at these times: '*/5 * * * *' (minute, hour, day of month, month, day of week)
  --time-zone <zone>  of --cron: Europe/Berlin. Default: that of the process

Ctrl-C ends an export after the batch under way; the same command goes on from there. One process at a time exports from
a chest; another one waits for its turn with --watch, else it says so and ends.

  --help              this text

Exit codes: 0 done; 1 something failed or was refused, it is still there; 2 it was called wrongly.

Examples
  deedbox chest show sqlite:vars.db
  deedbox chest show sqlite:vars.db --request-id 0ee7e0c4-6d5f-4f0a-9a3c-2f5a4a8a1d55 --json | jq .value
  deedbox chest export sqlite:vars.db --to jsonl:vars.jsonl
  INFLUX_TOKEN=… deedbox chest export sqlite:vars.db --to 'influx+http://localhost:8086?org=shop&bucket=vars' --watch
  deedbox chest export postgres://app@db/shop --to csv:vars.csv --cron '0 3 * * *' --time-zone Europe/Berlin
`

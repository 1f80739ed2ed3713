/** `deedbox outbox --help`. */
export const outboxHelp: string = `Usage: deedbox outbox <list|show|replay|drop> [keys...] [options]

What services on this machine have not delivered to their ledgers, and to their durable chests: events that wait in their
spools, and dead letters, which are events that were refused for good. The variables of a request for a chest count as one.
It needs no running service, and touches no spool of a living process.

  list                what waits and what is dead, per service and ledger or chest
  list --dead         each dead letter: when, under which key, why
  show <key>          one dead letter, with its payload
  replay [keys...]    sends dead letters, all or those with these keys; without keys, what dead processes left as well.
                      Same bytes, same keys: what the ledger has already is not stored again. What is taken is removed
  drop [keys...]      removes dead letters, all or those with these keys. Needs --yes

A key may be cut short, to 8 characters at least, as long as it fits one letter only.

Options
  --spool <folder>    default: DEEDBOX_SPOOL, else deedbox/spool in the user's state folder
  --service <name>    only what this service sends
  --ledger <name>     only what is for this ledger: a URL, or the origin of a ledger in the service's own process
  --to <url>          replay: sends to this ledger, whichever the events were for. Default: the one they were for, which
                      --ledger or else DEEDBOX_URL picks if there are several
  --chest <url>       replay: writes to this chest what was for it, and nothing to a ledger. What was for another one, since
                      moved here, needs its name as well, as --ledger. Without --chest nothing of a chest is touched
  --output <how>      table (default) or json
  --yes               drop: really
  --help              this text

The API key comes from DEEDBOX_API_KEY or IMTBL_API_KEY.

Exit codes: 0 done; 1 something was refused or the ledger did not answer, it is still there; 2 it was called wrongly.

Examples
  deedbox outbox list
  deedbox outbox list --dead --service orders --output json | jq -r '.[].letters[].reason'
  deedbox outbox show 01a22a3a-266d
  DEEDBOX_API_KEY=$KEY deedbox outbox replay --to https://ledger.example.com
  deedbox outbox replay --ledger orders.example/main --to https://ledger.example.com   (the ledger was moved there)
  deedbox outbox replay --chest sqlite:vars.db
  deedbox outbox drop 01a22a3a-266d --yes
`

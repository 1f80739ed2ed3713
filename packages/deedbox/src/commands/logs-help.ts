/** `deedbox logs --help`. */
export const logsHelp: string = `Usage: deedbox logs [files...] [filters] [options]

Shows the lines of log files that fit, or of standard input: for people on a terminal, unchanged in a pipe. Reads lines
of Deedbox (flat and mozlog), ECS, OTLP as JSON, pino and other JSON that has a time, a level and a message; files that
are packed with gzip too. What is no JSON is shown as it is.

Filters; all that are given must hold
  --level <level>         this level and more severe ones: TRACE, DEBUG, INFO, SUCCESS, WARNING, ERROR, CRITICAL
  --request-id <id>       lines of this request; several: of any of them
  --since <time>          then or later: ISO 8601, or a span such as 90s, 10m, 2h, 7d ago
  --until <time>          before then: the same
  --message <text>        a part of the message, or a regular expression such as '/time.?out/i'
  --field <condition>     key=value, key!=value, key>5 (also >=, <, <=); dots lead inside: user.id=u_42. Several: all
  --source <text>         a part of the source, which is file:function:line
  --status <status>       404, 5xx or 400-499; several: any of them
  --errors                lines of level ERROR and above, and those with an exception
  --json-only             nothing that is no JSON

Options
  -f, --follow            goes on with the lines that come, through rotation and truncation, until it is interrupted.
                          Begins with the last 10 lines that fit, or with those of --since
  -n, --last <count>      the last lines that fit only, up to 10000; of several files in time order
  --merge                 several files in time order, each in order by itself. Without it, one after the other
  --group                 the lines of each request together, where it ended. Of more than 10,000 requests at once, or
                          64 MiB of their lines, the longest open ones are shown in parts
  --output <how>          pretty (as the logger shows lines in development), text (one line each) or json (the line as
                          it was read); default: pretty on a terminal, json elsewhere
  --color <when>          auto (default: on a terminal unless NO_COLOR is set, or if FORCE_COLOR is), always, never
  --help                  this text

Exit codes: 0 shown, also if nothing fits; 1 a file could not be read, the others are shown; 2 it was called wrongly.

Examples
  deedbox logs app.log --level WARNING --since 2h
  deedbox logs app.log --request-id 0ee7e0c4-6d5f-4f0a-9a3c-2f5a4a8a1d55
  deedbox logs app.log.2.gz app.log.1 app.log --group --status 5xx
  deedbox logs --follow app.log worker.log --errors
  node server.js 2>&1 | deedbox logs --output pretty
  deedbox logs app.log --field user.id=u_42 | jq -r .path_with_query
`

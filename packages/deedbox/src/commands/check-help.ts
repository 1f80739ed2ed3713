/** `deedbox check --help`. */
export const checkHelp: string = `Usage: deedbox check <URL | folder>... [options]

Judges a service against each requirement of Dockerflow, one line each: pass, FAIL, warn, or "-" for what cannot be seen
from there, with the reason and what to do. A URL shows what a running service answers; a folder shows its Dockerfile,
.dockerignore and workflow (GitHub Actions, CircleCI, GitLab). Given both, all is judged in one report.

  Build 1-6       from a change of the code to a published image, without a secret in it
  App 1-8         environment, PORT, version.json, the three endpoints, logs, static files
  Dockerfile 1-5  /app, group and user app 10001, ENTRYPOINT and CMD, USER
  Optional 1-4    one process, mozlog, a small image, port 8000
  Static 1        .dockerignore
  Extra 1-4       ours: nothing cached, no details and no /__error__ for strangers, HEAD

It asks as a stranger does: no credentials are sent and no redirect is followed. /__error__ is asked once; where it is
open, that is one error in the service's log.

Options
  --asset <path>    a static file of the service, to be judged for far-future caching
  --file <path>     the Dockerfile, relative to the folder (default: Dockerfile, else Containerfile)
  --timeout <s>     how long one answer may take, in seconds (default 10)
  --json            one object: subjects, findings, count
  --help            this text

Exit codes: 0 no requirement fails; 1 one does, or the service does not answer; 2 it was called wrongly.

Examples
  deedbox check http://localhost:8000
  deedbox check .
  deedbox check . http://localhost:8000 --asset /assets/main-5f3a9c01.js
  deedbox check services/shop --file deploy/Dockerfile --json | jq '.findings[] | select(.outcome == "fail")'
`

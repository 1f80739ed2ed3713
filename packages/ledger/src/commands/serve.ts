import { parseArgs } from 'node:util'
import { type Deedbox, deedbox } from 'deedbox'
import { createHealth } from 'deedbox/health'
import { firstScopes, newApiKey } from '../access/index.ts'
import { LedgerError } from '../errors.ts'
import { createLedgerServer, type MetricsAccess, quietPaths } from '../http/index.ts'
import type { Ledger } from '../ledger.ts'
import { finishInstall, installedMove } from '../move/index.ts'
import { openLedger } from '../open-ledger.ts'
import { awaitLedger } from './await-move.ts'
import { dataFolder } from './data-folder.ts'
import { guardFolder } from './guard-folder.ts'
import { ownVersion } from './own-version.ts'
import { drainDelay, isOn, metricsAccess } from './serve-settings.ts'
import { drained, type StopSignals, stopSignals } from './stop-signals.ts'
import { welcomeText } from './welcome.ts'

/** `deedbox serve --help`. */
const serveHelp = `Usage: deedbox serve [options]

Runs the ledger server on an embedded SQLite file. The first start creates the ledger and an API key.

Options
  --data <folder>    where everything is kept        (DEEDBOX_DATA, default ./.deedbox)
  --port <number>    where to listen; 0: any         (PORT, default 8000)
  --host <address>   on which interface              (HOST, default 127.0.0.1)
  --origin <name>    the ledger's name in the world, fixed at creation
                     (DEEDBOX_ORIGIN, default <32 hex>.deedbox.invalid/main)
  --public-log       lets everybody read verifier key, checkpoints and tiles of every ledger of the file;
                     of raw ledgers these are the entries   (DEEDBOX_PUBLIC_LOG=1)
  --await-move       begins without a ledger, in an empty data folder, and waits for the one that "deedbox move"
                     brings; prints a token for it, unless DEEDBOX_MOVE_TOKEN gives one. Then serves it
  --help             this text

More variables
  DEEDBOX_BOOTSTRAP_KEY  an API key of your own to accept from the first start on; then none is printed
  DEEDBOX_MOVE_TOKEN     the token of a move, at least 16 characters; then none is printed
  DEEDBOX_SIGNING_KEY    the signing key (PRIVATE+KEY+…) instead of the one in <data>/keys
  DEEDBOX_METRICS_TOKEN  who sends it may fetch /metrics, at least 16 characters; so may keys with the scope verify
  DEEDBOX_PUBLIC_METRICS 1: everybody may
  DEEDBOX_HEALTH_TOKEN   who sends it sees what checks found, at least 16 characters; so do keys with the scope verify
  DEEDBOX_DRAIN_DELAY    how long it serves on after SIGTERM while it says that it is not ready, such as 5s
                         (default: 5s in Kubernetes, else 0)
  DOCKERFLOW_VERSION, DEEDBOX_SOURCE, DEEDBOX_COMMIT, DEEDBOX_BUILD
                         what /__version__ tells, in place of what APP_DIR/version.json says
  DEEDBOX_GUARD          where the rollback guard is kept, or "off" (default: your state folder)
  LOG_LEVEL              DEBUG also prints a line for each stored event

Examples
  deedbox serve
  PORT=9000 DEEDBOX_DATA=/var/lib/deedbox deedbox serve --origin ledger.example.com/acme --public-log
`

/** Runs until it is told to stop. Resolves to the exit code: 0 after SIGTERM or SIGINT, 1 when it cannot start. */
export async function serve(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      origin: { type: 'string' },
      'public-log': { type: 'boolean' },
      'await-move': { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(serveHelp)
    return 0
  }
  const env = process.env
  const port = portOf(values.port ?? (env.PORT || '8000'))
  const host = values.host ?? (env.HOST || '127.0.0.1')
  const data = dataFolder(values.data, env)
  const origin = values.origin ?? (env.DEEDBOX_ORIGIN || undefined)
  const delay = drainDelay(env)
  const metrics = metricsAccess(env)
  const publicLog = values['public-log'] ?? isOn(env, 'DEEDBOX_PUBLIC_LOG')
  const places = {
    folder: data.folder,
    database: data.database,
    keysFolder: data.keys,
    guardFolder: guardFolder(env),
  }
  const box = serverBox()
  try {
    // Reads its variables: whatever is set wrongly is said before anything is made. The server's own endpoints join it.
    createHealth(box, { ownChecks: false })
    return await serveFrom(places, {
      box,
      origin,
      host,
      port,
      delay,
      metrics,
      publicLog,
      awaitsMove: values['await-move'] === true,
    })
  } finally {
    await box.close()
  }
}

/** Waits for the ledger where it has to, opens it, and serves it. */
async function serveFrom(places: Places, { box, origin, awaitsMove, ...wanted }: Wanted): Promise<number> {
  const { host } = wanted
  let { port } = wanted
  finishInstall(places)
  const stopped = stopSignals()
  // Started anew with the same options when the ledger has come, it serves that.
  if (awaitsMove && installedMove(places) === undefined) {
    if (origin !== undefined) {
      throw new LedgerError(
        'invalid_usage',
        'The origin comes along with the ledger: leave out --origin and DEEDBOX_ORIGIN.',
      )
    }
    const shown = (actual: number) => addressOf(host, actual)
    const there = await awaitLedger(places, { host, port, shown }, stopped.first).catch((cause: unknown) => {
      throw cause instanceof LedgerError ? cause : cannotListen(host, wanted.port, cause)
    })
    if (there === undefined) return 0
    port = there
  }
  const ledger = await openLedger(places.database, {
    keysFolder: places.keysFolder,
    ...(origin === undefined ? {} : { origin }),
  })
  try {
    return await run(ledger, places.folder, stopped, { ...wanted, box, port, moved: installedMove(places) })
  } finally {
    await ledger.close()
  }
}

type Places = Parameters<typeof finishInstall>[0]

/** What options and variables say. */
type Wanted = Omit<Listening, 'moved'> & {
  readonly origin: string | undefined
  readonly awaitsMove: boolean
}

interface Listening {
  box: Deedbox
  port: number
  host: string
  publicLog: boolean
  /** Milliseconds between the signal to stop and the end of listening. */
  delay: number
  metrics: MetricsAccess
  moved: ReturnType<typeof installedMove>
}

async function run(
  ledger: Ledger,
  folder: string,
  stopped: StopSignals,
  { box, port, host, publicLog, moved, delay, metrics }: Listening,
): Promise<number> {
  for (const warning of ledger.about.warnings) box.log.warning(warning)
  const app = await createLedgerServer(ledger, {
    box,
    version: ownVersion(process.env),
    folder,
    metrics,
    publicLog,
    ...(moved === undefined ? {} : { moved }),
    onRead: read => box.log.info('event content read', { ...read }),
    onFault: error => box.log.error('a request failed', { error }),
  })
  try {
    await app.listen({ port, host })
  } catch (cause) {
    throw cannotListen(host, port, cause)
  }
  try {
    // Only now: a key that was made before a failing start would never have been shown.
    const newKey = await firstKey(ledger, moved !== undefined)
    const { port: actual } = app.server.address() as { port: number }
    process.stdout.write(
      welcomeText({
        address: addressOf(host, actual),
        folder,
        created: ledger.about.created,
        size: ledger.head().size,
        verifierKey: ledger.verifierKey,
        newApiKey: newKey,
      }),
    )
    await stopped.first
    box.log.info('draining', { delay })
    await drained(delay, stopped)
  } finally {
    await app.close()
  }
  return 0
}

function serverBox(): Deedbox {
  return deedbox({
    service: 'deedbox-ledger',
    // Events about its own requests would become events about its own requests.
    ledger: null,
    audit: { requests: false },
    // Nobody would see it.
    bodyHash: false,
    skipPaths: [...quietPaths],
    log: {
      requestLevel: record =>
        record.path.startsWith('/v1/events') && record.status === 202 ? 'DEBUG' : undefined,
    },
  })
}

/**
 * Sees to it that the ledger has a key; returns it when it is new and has to be shown. Where the ledger was moved here,
 * the key is for the service that wrote to its file, and what that one sends again has to be recognised.
 */
async function firstKey(ledger: Ledger, wasMoved: boolean): Promise<string | undefined> {
  const options = wasMoved ? { principal: 'in-process' } : {}
  const bootstrap = process.env.DEEDBOX_BOOTSTRAP_KEY
  if (bootstrap) {
    if (ledger.hasApiKey(bootstrap)) return undefined
    try {
      await ledger.createApiKey(bootstrap, 'bootstrap', firstScopes, options)
    } catch (error) {
      // Another process that started at the same time may have been first.
      if (!ledger.hasApiKey(bootstrap)) throw error
    }
    return undefined
  }
  if (ledger.apiKeyCount > 0) return undefined
  const key = newApiKey()
  await ledger.createApiKey(key, 'first', firstScopes, options)
  return key
}

function addressOf(host: string, port: number): string {
  const isLocal = ['127.0.0.1', '0.0.0.0', '::', '::1'].includes(host)
  return `http://${isLocal ? 'localhost' : host}:${port}`
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new LedgerError(
    'invalid_usage',
    `The port (PORT, --port) is a number from 0 to 65535, not "${text}".`,
  )
}

function cannotListen(host: string, port: number, cause: unknown): LedgerError {
  return new LedgerError('invalid_option', `Cannot listen on ${host}:${port}: ${listenProblem(cause)}`, {
    cause,
  })
}

function listenProblem(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return 'another program listens there. Stop it or set PORT to another number.'
  if (code === 'EACCES') return 'this user may not. Set PORT to a number above 1023.'
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'this machine has no such address. Set HOST.'
  return cause instanceof Error ? cause.message : String(cause)
}

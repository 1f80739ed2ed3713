import { deedbox } from '../../box.ts'
import type { Deedbox } from '../../instance.ts'
import { internalsOf } from '../../internals.ts'
import type { DeedboxOptions } from '../../options.ts'
import type { SkipPath } from '../../request/index.ts'
import { ConfigurationError, findVariable } from '../../safety/index.ts'
import { type RemoteLedger, readLedger } from '../../settings.ts'
import type { ServiceSettings } from './original-options.ts'

/** Health endpoints that the originals left out. (IF-07) */
const skippedPaths: readonly string[] = ['/health', '/healthz']

/** An instance that does what the originals did, and where its events go. */
export interface OriginalBox {
  readonly box: Deedbox
  /** The ledger that key and URL name; `undefined` without a key, or with a ledger of the option `deedbox`. */
  readonly remote: RemoteLedger | undefined
}

/** How an original reads a text of `skipPaths`. */
export type SkipReading = (path: string) => SkipPath

/**
 * Makes an instance with the defaults of the originals (ruling 2). It writes no request lines, adds no
 * `X-Processed-Time` and leaves the errors of the process alone, as they did.
 * @param readSkipPath default: the path itself, and nothing else
 * @throws ConfigurationError naming the option or variable at fault
 */
export function originalBox(
  settings: ServiceSettings,
  defaultService: string,
  readSkipPath: SkipReading = path => path,
): OriginalBox {
  const { apiKey, apiUrl, serviceName, env, skipPaths, deedbox: more = {} } = settings
  const remote = more.ledger === undefined ? remoteLedger(apiKey, apiUrl) : undefined
  const variable = (...names: string[]): string | undefined => findVariable(process.env, names)?.value
  const box = deedbox({
    eventNames: 'path',
    includeBody: true,
    processedTime: false,
    processErrors: 'off',
    ...more,
    service:
      nonEmpty(serviceName) ??
      more.service ??
      variable('DEEDBOX_SERVICE', 'IMTBL_SERVICE_NAME') ??
      defaultService,
    env: nonEmpty(env) ?? more.env ?? variable('DEEDBOX_ENV', 'IMTBL_ENV') ?? 'production',
    skipPaths: skipPaths?.map(readSkipPath) ?? more.skipPaths ?? skippedPaths.map(readSkipPath),
    ledger: more.ledger === undefined ? (remote ?? null) : more.ledger,
    log: withoutRequestLines(more.log),
  })
  if (more.ledger === undefined && remote === undefined) {
    internalsOf(box).notices.warn(
      'no_ledger',
      'No key is set, so nothing is sent and audit events become log lines of type "audit". ' +
        'Set IMTBL_API_KEY, or the option apiKey.',
    )
  }
  return { box, remote }
}

/** An empty key means no ledger, whatever the URL: the originals' own samples start that way. (Ruling 1, sample 4) */
function remoteLedger(apiKey: string | undefined, apiUrl: string | undefined): RemoteLedger | undefined {
  const key = nonEmpty(apiKey) ?? findVariable(process.env, ['DEEDBOX_API_KEY', 'IMTBL_API_KEY'])?.value
  if (key === undefined) return undefined
  try {
    const ledger = readLedger({ apiKey: key, url: apiUrl, batches: false }, process.env)
    return ledger !== null && 'apiKey' in ledger ? ledger : undefined
  } catch (error) {
    throw error instanceof ConfigurationError ? inOurWords(error) : error
  }
}

/** By the names that the options have here. */
function inOurWords({ setting, message }: ConfigurationError): ConfigurationError {
  const rename = (text: string): string =>
    text.replaceAll('ledger.url', 'apiUrl').replaceAll('ledger.apiKey', 'apiKey')
  return new ConfigurationError(rename(setting), rename(message.slice(setting.length + 2)))
}

/** No request line is graver than ERROR. */
function withoutRequestLines(log: DeedboxOptions['log'] = {}): DeedboxOptions['log'] {
  return { ...log, levels: { 'request.summary': 'CRITICAL', ...log.levels } }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text
}

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createOutlet } from '../audit/create-outlet.ts'
import type { DeliveryOptions } from '../audit/delivery-options.ts'
import type { AdoptedProducer, AuditOutlet } from '../audit/index.ts'
import { Producer } from '../audit/producer.ts'
import { createInstanceLog, flatLine, LevelScale, Thresholds } from '../log/index.ts'
import { createRedactor } from '../safety/index.ts'
import type { LedgerStandIn } from './ledger-stand-in.ts'

/** A folder for spools that goes with the test. */
export function spoolFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-spool-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** An outlet with a spool, and what came of it. */
export interface SpooledOutlet {
  readonly outlet: AuditOutlet
  readonly producer: Producer
  readonly notices: Record<string, unknown>[]
  readonly adopted: AdoptedProducer[]
}

/** An outlet of the service `tests` with a spool in the folder, closed when the test ends. */
export function aSpooledOutlet(
  t: TestContext,
  ledger: LedgerStandIn,
  folder: string,
  options: DeliveryOptions & { readonly size?: number; readonly isSynced?: boolean } = {},
): SpooledOutlet {
  const notices: Record<string, unknown>[] = []
  const adopted: AdoptedProducer[] = []
  const producer = new Producer()
  const scale = new LevelScale()
  const log = createInstanceLog({
    scale,
    thresholds: new Thresholds(scale.numberOf('INFO') ?? 0),
    sinks: [
      {
        to: { write: line => notices.push(JSON.parse(line) as Record<string, unknown>) },
        choice: { format: flatLine, isSummary: false },
      },
    ],
    source: 'never',
    redactor: createRedactor(),
    scope: () => undefined,
  })
  const { outlet } = createOutlet(
    { url: ledger.url, apiKey: 'a-key-of-nobody' },
    { mode: 'open', linger: 1, backoff: { base: 1, cap: 20 }, timeout: 2_000, ...options },
    log.writer,
    log.notices,
    true,
    {
      service: 'tests',
      producer,
      spool: { folder, size: options.size ?? 64 * 1024 * 1024, isSynced: options.isSynced ?? false },
      onAdopted: each => adopted.push(each),
    },
  )
  t.after(() => outlet.close())
  return { outlet, producer, notices, adopted }
}

/** The files below a folder, as paths relative to it. */
export function filesBelow(folder: string): string[] {
  try {
    return filesNow(folder)
  } catch (error) {
    // A folder in it was removed while it was read.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return filesBelow(folder)
  }
}

function filesNow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()
}

/** The text of all event files below a folder. */
export function spooledText(folder: string): string {
  return filesBelow(folder)
    .filter(name => name.endsWith('.events'))
    .map(name => {
      try {
        return readFileSync(join(folder, name), 'utf8')
      } catch (error) {
        // Its folder got its name this moment.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
        return ''
      }
    })
    .join('')
}

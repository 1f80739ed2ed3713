import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { AuditOptions, AuditStats } from 'deedbox'
import { root } from '../end-to-end/ledger-process.ts'
import { drillKey } from './load.ts'

const program = join(root, 'test', 'frameworks', 'express-5', 'audited-service.ts')

/** A running Express service whose requests are audit events. */
export interface AuditedService {
  readonly child: ChildProcess
  readonly url: string
  /** What it said on standard error so far. */
  stderr(): string
  /** How many processes have begun to listen so far. */
  begun(): number
  stats(): Promise<AuditStats & { readonly pid: number }>
  /** Ends it by a signal and resolves when it is gone. */
  end(signal: NodeJS.Signals): Promise<void>
}

/** How a drill wants the service. */
export interface ServiceSetup {
  /** Where the ledger is, or what stands before it. */
  readonly ledger: string
  /** The folder of its spool. */
  readonly spool: string
  readonly audit?: AuditOptions
  readonly port?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Starts the service as a process of its own and waits until it listens. */
export async function startService(t: TestContext, setup: ServiceSetup): Promise<AuditedService> {
  const { NODE_TEST_CONTEXT, ...inherited } = process.env
  const child = spawn(process.execPath, ['--conditions=@deedbox/source', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...inherited,
      DEEDBOX_URL: setup.ledger,
      DEEDBOX_API_KEY: drillKey,
      DEEDBOX_SPOOL: setup.spool,
      DRILL_AUDIT: JSON.stringify(setup.audit ?? {}),
      PORT: String(setup.port ?? 0),
      ...setup.env,
    },
  })
  t.after(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    err += text
  })
  const listening = (): string[] => [...out.matchAll(/^listening (\d+)/gm)].map(([, port]) => String(port))
  const wanted = Math.max(1, Number(setup.env?.DRILL_WORKERS ?? 0))
  while (listening().length < wanted) {
    const event = await Promise.race([
      once(child.stdout, 'data').then(() => 'data'),
      once(child, 'exit').then(() => 'exit'),
    ])
    assert.notEqual(event, 'exit', `the service ended: ${err}`)
  }
  const url = `http://127.0.0.1:${listening()[0]}`
  return {
    child,
    url,
    stderr: () => err,
    begun: () => listening().length,
    stats: () => statsOf(url),
    end: async signal => {
      const gone = once(child, 'exit')
      child.kill(signal)
      await gone
    },
  }
}

/** Asks again where a worker was killed with the question in its hands: nobody answers that, and nobody hangs up. */
async function statsOf(url: string): Promise<AuditStats & { readonly pid: number }> {
  for (let left = 5; ; left--) {
    try {
      const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) })
      return (await response.json()) as AuditStats & { pid: number }
    } catch (error) {
      if (left === 0) throw error
    }
  }
}

import { join } from 'node:path'
import { adminSubmission, openInlineWriter } from '../sequencer/index.ts'
import { tamper } from './tampered-ledger.ts'

/** What an erasure leaf names. */
export type Erased = { index: number; parts: string[] }[]

/** Appends an `erasure` leaf through the writer of `openTestLedger`'s folder; the content itself stays. */
export async function appendErasure(folder: string, payload: { erased: Erased } | object): Promise<void> {
  const writer = await openInlineWriter({
    path: join(folder, 'ledger.db'),
    keysFolder: join(folder, 'keys'),
    signingKey: undefined,
    guardFolder: join(folder, 'guard'),
    kind: 'events',
    ledgerName: 'main',
    origin: undefined,
  })
  const admin = adminSubmission('deedbox.erasure', payload, 'request-erasure')
  await writer.append([{ ...admin, kind: 'erasure' as 'admin' }])
  await writer.close()
}

/** Takes value and salt of a part away, and whatever was derived from it. */
export function takeAway(folder: string, index: number, part: 'context' | 'payload' | 'server'): void {
  const position = `(1 << 40) + ${index}`
  const derived = 'request_id, trace_id, immutable_trail, actor_id, subject, correlation_id, outcome'
  const columns = [part, `${part}_salt`, ...(part === 'context' ? derived.split(', ') : [])]
  tamper(
    folder,
    `UPDATE events SET ${columns.map(column => `${column} = NULL`).join(', ')} WHERE position = ${position}`,
  )
}

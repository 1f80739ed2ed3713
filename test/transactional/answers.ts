import {
  isBatch,
  type ReceivedCall,
  type Script,
} from '../../packages/deedbox/src/testing/ledger-stand-in.ts'

/** Answers the events of one name so, and keeps the others. */
export function answering(name: string, status: number): Script {
  return (call: ReceivedCall, _nth, ledger) => {
    const good = { ...call, items: call.items.filter(({ meta }) => meta.event_name !== name) }
    const kept = ledger.keep(good)
    const refusal = { ok: false, status, reason: 'invalid_meta', message: 'no such thing' }
    if (!isBatch(call)) return good.items.length === 0 ? { status, body: refusal } : kept
    if (kept === 'never' || kept === 'cut') return kept
    const results = (kept.body as { results: unknown[] }).results
    return {
      status: 200,
      body: {
        ok: true,
        results: call.items.map(({ meta }) => (meta.event_name === name ? refusal : results.shift())),
      },
    }
  }
}

/** Answers all of a call so that has an event of this name, as a firewall does. */
export function barring(name: string, status: number): Script {
  return (call, _nth, ledger) =>
    call.items.some(({ meta }) => meta.event_name === name)
      ? { status, body: { ok: false, reason: 'barred', message: 'no' } }
      : ledger.keep(call)
}

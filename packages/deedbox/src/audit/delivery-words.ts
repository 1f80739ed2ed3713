/** How a delivery and its spool call what they deliver, and where to. */
export interface DeliveryWords {
  /** Begins the codes of its notices. */
  readonly code: string
  readonly one: string
  /** At the beginning of a sentence. */
  readonly many: string
  /** So many of them. */
  readonly counted: (count: number) => string
  /** Where they go. */
  readonly taker: string
  /** The spool of this process that they wait in. */
  readonly spool: string
  /** What to set so that they wait in memory alone. */
  readonly memoryOnly: string
  /** What to do about refused ones that are kept. */
  readonly remedy: (status: number | undefined) => string
}

/** Audit events on their way to a ledger. */
export const auditWords: DeliveryWords = {
  code: 'audit',
  one: 'an audit event',
  many: 'Audit events',
  counted: count => `${count} audit event${count === 1 ? '' : 's'}`,
  taker: 'the ledger',
  spool: 'the spool',
  memoryOnly: "audit.durability to 'memory'",
  remedy: status =>
    '"deedbox outbox list --dead" shows them, and "deedbox outbox replay" sends them again once ' +
    `${status === 401 || status === 403 ? 'the API key' : 'the cause'} is mended`,
}

/** Makes the beginning of a sentence of it. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

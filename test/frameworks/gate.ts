import type { IncomingHttpHeaders } from 'node:http'

/** What a gate answers in place of the service. */
export interface GateAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/**
 * What services put ahead of their routes, here by the header `x-gate`: `login` is answered 401, as by a service that
 * asks everybody who he is, `https` is sent to https.
 */
export function gate({ 'x-gate': asked }: IncomingHttpHeaders): GateAnswer | undefined {
  if (asked === 'login') return { status: 401, headers: {} }
  return asked === 'https' ? { status: 308, headers: { location: 'https://localhost/' } } : undefined
}

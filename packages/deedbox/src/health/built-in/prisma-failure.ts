/** Prisma's codes for what its driver adapters call by names; and the one of PostgreSQL for a table that is missing. */
const codes: Readonly<Partial<Record<string, string>>> = {
  AuthenticationFailed: 'P1000',
  DatabaseNotReachable: 'P1001',
  DatabaseDoesNotExist: 'P1003',
  SocketTimeout: 'P1008',
  DatabaseAccessDenied: 'P1010',
  TlsConnectionError: 'P1011',
  ConnectionClosed: 'P1017',
  TooManyConnections: 'P2037',
  TableDoesNotExist: '42P01',
}

/**
 * What the driver said below Prisma: of a query of one's own it tells everything under one code, and that in a text which
 * names the user. What it throws otherwise stays as it is.
 */
export function prismaFailure(thrown: unknown): unknown {
  const { kind, originalCode, originalMessage, host, port } = Object(
    Object(Object(Object(thrown).meta).driverAdapterError).cause,
  ) as Readonly<Partial<Record<string, unknown>>>
  if (typeof kind !== 'string') return thrown
  const place = typeof host === 'string' ? ` ${host}:${String(port)}` : ''
  const text = typeof originalMessage === 'string' ? originalMessage : kind + place
  return Object.assign(new Error(text), {
    code: Object.hasOwn(codes, kind) ? codes[kind] : originalCode,
  })
}

/** Writes an ERROR of the endpoints' own to the log. */
export type HealthLog = (message: string, fields?: Record<string, unknown>) => void

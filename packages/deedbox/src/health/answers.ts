/** A request, as far as health endpoints read it. */
export interface HealthRequest {
  readonly method: string
  /** Its path, with or without a query. */
  readonly url: string
  readonly authorization: string | undefined
}

/** What a health endpoint answers. */
export interface HealthAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Empty for HEAD, whose headers are those of GET. */
  readonly body: string
  /** What shall be thrown instead, so that the framework answers it and all that watches it sees it. */
  readonly raise?: Error
}

/** Nobody may keep what is true for a moment; and a proxy may compress it. (DF-12, ruling 28) */
const always = { 'Cache-Control': 'no-store', Vary: 'Accept-Encoding', 'X-Content-Type-Options': 'nosniff' }

/** An answer in plain text. */
export function textAnswer(
  status: number,
  body: string,
  more: Readonly<Record<string, string>> = {},
): HealthAnswer {
  return answerOf(status, 'text/plain; charset=utf-8', body, more)
}

/** An answer in JSON. @param text the JSON */
export function jsonAnswer(status: number, text: string): HealthAnswer {
  return answerOf(status, 'application/json', text, {})
}

/** The answer for HEAD. */
export function withoutBody(answer: HealthAnswer): HealthAnswer {
  return { ...answer, body: '' }
}

function answerOf(
  status: number,
  type: string,
  body: string,
  more: Readonly<Record<string, string>>,
): HealthAnswer {
  const length = String(Buffer.byteLength(body))
  return { status, headers: { ...always, 'Content-Type': type, 'Content-Length': length, ...more }, body }
}

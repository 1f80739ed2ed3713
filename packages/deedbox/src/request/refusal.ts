/** An answer in place of another. */
export interface Refusal {
  readonly status: number
  readonly reason: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How a held response goes on. */
export interface HeldOutput {
  release(): void
  /** Returns whether there was still somebody to send the refusal to. */
  refuse(refusal: Refusal): boolean
}

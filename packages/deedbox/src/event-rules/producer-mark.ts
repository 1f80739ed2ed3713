/** Which number of which producer an event says it is. */
export interface ProducerMark {
  readonly id: string
  readonly seq: number
}

/** The producer's mark in a `meta`, if there is one that can be counted: sequences begin at 1. */
export function producerMarkOf(meta: object): ProducerMark | undefined {
  const { id, seq } = Object(Reflect.get(meta, 'producer')) as { id?: unknown; seq?: unknown }
  return typeof id === 'string' && Number.isSafeInteger(seq) && Number(seq) >= 1
    ? { id, seq: Number(seq) }
    : undefined
}

/**
 * What the canonical text of a context says besides the producer's mark, to tell an exact repeat from other content under
 * the same key. Which number its producer gave it is no content: who sends an event anew after a timeout, under its key,
 * sends the same event.
 */
export function contextWithoutMark(context: string, mark: ProducerMark | undefined): string {
  if (mark === undefined) return context
  const member = `"producer":{"id":${JSON.stringify(mark.id)},"seq":${mark.seq}}`
  for (const text of [`${member},`, `,${member}`, member]) {
    if (context.includes(text)) return context.replace(text, '')
  }
  return context
}

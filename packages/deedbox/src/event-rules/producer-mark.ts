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
 * A context without the producer's mark; the same object where it bears none.
 *
 * It is what tells an exact repeat from other content under the same key: which number its producer gave an event is no
 * content, for who sends it anew after a timeout, under its key, sends the same event. The mark is the member of that
 * name alone: what looks like one deeper down is content, and so is one that says more.
 */
export function withoutMark(context: object): object {
  const mark: unknown = Reflect.get(context, 'producer')
  if (producerMarkOf(context) === undefined || Object.keys(Object(mark)).length !== 2) return context
  const { producer, ...content } = context as { producer: unknown }
  return content
}

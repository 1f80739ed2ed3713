/** Which calls a scripted failure is for. */
export interface FailureScope {
  /**
   * Answers are for this event alone, and the others of its batch are stored; what befalls a connection befalls the calls
   * that hold this event. Without it, all calls.
   */
  readonly event?: string
  /** How many calls; without it, all of them until `recover()`. */
  readonly times?: number
}

/** An answer that a ledger gives instead of storing. */
export interface ScriptedAnswer {
  /** The HTTP status: 5xx, 408 and 425 are tried again by the SDK, other 4xx are final, 429 is the monthly quota. */
  readonly status: number
  /** A code in snake case; without it, the one that our ledger has for this status. */
  readonly reason?: string
  readonly message?: string
  /** Seconds, as in the header `Retry-After`. */
  readonly retryAfter?: number
}

/** What befalls one call. */
export interface CallFate {
  /** The answer to the call as a whole. */
  readonly answer: ScriptedAnswer | undefined
  /** The answer to one event alone. */
  readonly answerTo: (eventName: string) => ScriptedAnswer | undefined
  /** The connection dies before anything is stored. */
  readonly cutBefore: boolean
  /** The connection dies once all is stored. */
  readonly cutAfter: boolean
}

interface Step extends FailureScope {
  readonly deed: ScriptedAnswer | 'hang' | 'cut' | 'cut after storing' | { readonly slow: number }
  left: number
}

/** The failures that a test has scripted, in their order. */
export class FailureScript {
  #steps: Step[] = []
  readonly #waiting = new Set<() => void>()

  add(deed: Step['deed'], { event, times = Number.POSITIVE_INFINITY }: FailureScope): void {
    this.#steps.push({ deed, left: times, ...(event === undefined ? {} : { event }) })
  }

  /** Forgets all failures; what hangs is cut off, what is slow goes on at once. */
  clear(): void {
    this.#steps = []
    for (const release of this.#waiting) release()
  }

  /** Uses up what is scripted for a call with these events, waits as long as it says, and tells the rest. */
  async meet(eventNames: readonly string[]): Promise<CallFate> {
    const due = this.#take(eventNames)
    const slow = due.reduce(
      (sum, { deed }) => (typeof deed === 'object' && 'slow' in deed ? sum + deed.slow : sum),
      0,
    )
    if (slow > 0) await this.#wait(slow)
    const hangs = due.some(({ deed }) => deed === 'hang')
    if (hangs) await this.#wait()
    const answers = due.flatMap(({ deed, event }) =>
      typeof deed === 'object' && 'status' in deed ? [{ answer: deed, event }] : [],
    )
    return {
      answer: answers.find(({ event }) => event === undefined)?.answer,
      answerTo: name => answers.find(({ event }) => event === name)?.answer,
      cutBefore: hangs || due.some(({ deed }) => deed === 'cut'),
      cutAfter: due.some(({ deed }) => deed === 'cut after storing'),
    }
  }

  /** One step of a kind and event at a time: what is scripted twice happens one after the other. */
  #take(eventNames: readonly string[]): Step[] {
    const due = new Map<string, Step>()
    for (const step of this.#steps) {
      if (step.left <= 0 || (step.event !== undefined && !eventNames.includes(step.event))) continue
      const kind = typeof step.deed === 'string' ? step.deed : 'slow' in step.deed ? 'slow' : 'answer'
      const name = JSON.stringify([kind, step.event])
      if (!due.has(name)) due.set(name, step)
    }
    for (const step of due.values()) step.left--
    this.#steps = this.#steps.filter(step => step.left > 0)
    return [...due.values()]
  }

  #wait(milliseconds?: number): Promise<void> {
    return new Promise(resolve => {
      const release = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(release)
        resolve()
      }
      const timer = milliseconds === undefined ? undefined : setTimeout(release, milliseconds)
      this.#waiting.add(release)
    })
  }
}

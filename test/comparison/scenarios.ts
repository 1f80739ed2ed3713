/** One request that the scripted client makes, and when it leaves. */
export interface Scenario {
  /** Heads the column. */
  readonly title: string
  readonly method: string
  /** Distinct for each scenario: by it a line is known to belong to the request. */
  readonly path: string
  readonly body?: string
  /** The client leaves once the handler is at work, or once it has the first bytes of the answer too. */
  readonly leaves?: 'before the answer' | 'in the middle of the answer'
  /** The statuses that a service may answer with; another one means that the service is not the one to compare. */
  readonly answers: readonly number[]
  /** What the message of the real error holds. */
  readonly realError?: RegExp
}

/** The six requests, in the order in which they are made. */
export const scenarios: readonly Scenario[] = [
  { title: 'answered', method: 'GET', path: '/ok', answers: [200] },
  {
    title: 'the handler throws',
    method: 'GET',
    path: '/throw',
    answers: [500],
    realError: /the till is jammed/,
  },
  {
    title: 'client leaves before the answer',
    method: 'GET',
    path: '/leave',
    leaves: 'before the answer',
    answers: [],
  },
  { title: 'nothing there', method: 'GET', path: '/nowhere', answers: [404] },
  {
    title: 'malformed JSON',
    method: 'POST',
    path: '/json',
    body: '{"a":',
    answers: [400, 500],
    realError: /JSON/,
  },
  {
    title: 'client leaves in mid-answer',
    method: 'GET',
    path: '/stream',
    leaves: 'in the middle of the answer',
    answers: [200],
  },
]

/** What a worker tells the primary about a file. */
export type ToPrimary =
  | { readonly deedbox: 'log-file?'; readonly path: string }
  | {
      readonly deedbox: 'log-lines'
      readonly path: string
      /** The sink of the worker, and the number of this message of it, from 1 on. */
      readonly key: string
      readonly number: number
      readonly text: string
    }

/** What the primary tells a worker: that it writes a file, or does so no more, and what it has written. */
export type ToWorker =
  | { readonly deedbox: 'log-file'; readonly path: string; readonly isOpen: boolean }
  | { readonly deedbox: 'log-written'; readonly key: string; readonly number: number }

/** Whether a message of the channel, which is the service's as well, is one of ours. */
export function isOurs(message: unknown): message is ToPrimary | ToWorker {
  return (
    typeof message === 'object' &&
    message !== null &&
    'deedbox' in message &&
    String(message.deedbox).startsWith('log-')
  )
}

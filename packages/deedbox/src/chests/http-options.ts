import type { ContextEntry } from '../tracking/index.ts'
import type { ChestOptions } from './chest-options.ts'

/** One certificate or several, as the text of PEM. */
export type Certificates = string | Buffer | readonly (string | Buffer)[]

/** What `httpWriter` takes: a `url`, or its parts as the original had them. (FC-19) */
export interface HttpWriterOptions extends ChestOptions {
  /** Requests of one write, each a post. Default 25. */
  readonly batch?: number | undefined
  /** Stands in the chest's id. Default: protocol, host and port of the URL. */
  readonly name?: string | undefined
  /** Where to post. A user and a password in it become basic authorisation. Default: made of the three parts. */
  readonly url?: string | URL | undefined
  /** Default `false`. */
  readonly https?: boolean | undefined
  /** Default `localhost`. */
  readonly host?: string | undefined
  /** Text or number. Default: that of the protocol. */
  readonly port?: string | number | undefined
  /** Added to the query of the URL. */
  readonly params?: Readonly<Record<string, string | number | boolean>> | null | undefined
  /** Sent with each post. */
  readonly headers?: Readonly<Record<string, string>> | null | undefined
  /**
   * Makes what is posted, as JSON, of the entries of one request. Where it throws, that request is refused. Default:
   * `[[name, value, requestId], …]`. The original's name stands for it too. (FC-20, ruling 26)
   */
  readonly payload?: ((entries: readonly ContextEntry[]) => unknown) | null | undefined
  readonly payloadGenerator?: ((entries: readonly ContextEntry[]) => unknown) | null | undefined
  /** Milliseconds that one post may take, to the end of its answer; at most 20,000. Default 5,000. (FC-21) */
  readonly timeoutMs?: number | undefined
  /** The statuses of an answer that say that it was taken. Default: 200 to 299. */
  readonly successStatusCodes?: readonly number[] | undefined
  /** Whether the certificate of the server is verified. Default `true`. (FC-21) */
  readonly verify?: boolean | undefined
  readonly tls?:
    | {
        /** As above; say it in one place. */
        readonly verify?: boolean | undefined
        /** Whom to trust instead of the authorities that Node knows. */
        readonly ca?: Certificates | undefined
      }
    | undefined
}

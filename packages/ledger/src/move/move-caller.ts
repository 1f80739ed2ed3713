import { hash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { LedgerError } from '../errors.ts'
import { heard, type MoveManifest, type MoveStatus, manifestBytes, parseStatus, refusalCode } from './wire.ts'

/** Milliseconds until a call has to be answered, to the last byte of its answer. */
const answerTime = 60_000

/** Waits before the attempts after the first, in milliseconds. */
const waits = [200, 500, 1_000, 2_000, 3_000]

/** What may be over when it is tried again. A piece that was changed on its way is one of these. */
const passing = ['unreachable', 'overloaded', 'checksum_mismatch', 'request_timeout']

/** Calls a server that awaits a ledger. Every call may be repeated, and is, when the connection fails. */
export class MoveCaller {
  readonly #base: string
  readonly #token: string

  /** @param url the base URL of the server */
  constructor(url: string, token: string) {
    this.#base = `${url.replace(/\/+$/, '')}/v1/move`
    this.#token = token
  }

  status(): Promise<MoveStatus> {
    return this.#call('GET', '')
  }

  begin(moveId: string, manifest: MoveManifest): Promise<MoveStatus> {
    return this.#call('PUT', `/${moveId}`, JSON.stringify(manifest))
  }

  send(moveId: string, offset: number, piece: Uint8Array<ArrayBuffer>): Promise<MoveStatus> {
    return this.#call('PATCH', `/${moveId}?offset=${offset}&sha256=${hash('sha256', piece, 'hex')}`, piece)
  }

  check(moveId: string): Promise<MoveStatus> {
    return this.#call('POST', `/${moveId}?do=check`)
  }

  /** @param server the one that is meant: any other at this address refuses */
  install(moveId: string, server: string): Promise<MoveStatus> {
    return this.#call('POST', `/${moveId}?do=install&server=${server}`)
  }

  cancel(moveId: string): Promise<MoveStatus> {
    return this.#call('DELETE', `/${moveId}`)
  }

  async #call(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>): Promise<MoveStatus> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(method, path, body)
      } catch (error) {
        const pause = waits[attempt]
        if (pause === undefined || !(error instanceof LedgerError) || !passing.includes(error.code))
          throw error
        await wait(pause)
      }
    }
  }

  async #once(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>): Promise<MoveStatus> {
    let response: Response
    let text: string
    try {
      response = await fetch(this.#base + path, {
        method,
        headers: { authorization: `Bearer ${this.#token}` },
        // Token and signing key are for this server and for no other.
        redirect: 'error',
        signal: AbortSignal.timeout(answerTime),
        ...(body === undefined ? {} : { body }),
      })
      text = await textOf(response)
    } catch (cause) {
      throw new LedgerError('unreachable', `${this.#base} cannot be reached: ${reasonOf(cause)}.`, { cause })
    }
    return statusOf(this.#base, response.status, text)
  }
}

function statusOf(base: string, status: number, text: string): MoveStatus {
  let answer: { reason?: unknown; message?: unknown } | null
  try {
    answer = JSON.parse(text)
  } catch (cause) {
    throw noServer(base, status, cause)
  }
  const state = status === 200 ? parseStatus(answer) : undefined
  if (state !== undefined) return state
  const { reason, message } = answer ?? {}
  if (status === 200 || typeof reason !== 'string') throw noServer(base, status)
  if (status === 404 && reason === 'unknown_route') {
    throw new LedgerError(
      'move_conflict',
      `The server at ${base} awaits no ledger. Start it in an empty data folder, with "deedbox serve --await-move".`,
    )
  }
  const said = typeof message === 'string' ? heard(message) : `status ${status}`
  throw new LedgerError(refusalCode(reason), `The server answered: ${said}`)
}

function noServer(base: string, status: number, cause?: unknown): LedgerError {
  return new LedgerError('unreachable', `${base} answered ${status}, and not as a Deedbox server does.`, {
    cause,
  })
}

/** The text of an answer, as long as it is not longer than any that a server gives. */
async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += piece.length
    if (length > manifestBytes) throw new Error('its answer does not end')
    text += decoder.decode(piece, { stream: true })
  }
  return text + decoder.decode()
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: unknown; message?: unknown }; message?: unknown }
  return String(cause?.code ?? cause?.message ?? message ?? error)
}

/** The code for what has an `_id`, or another unique key, that is there already. */
export const duplicateKey = 11_000

/**
 * The codes of what a server will never take: bad values, nesting too deep, names or paths that it does not allow, its own
 * validation, sizes.
 */
const refusing: ReadonlySet<unknown> = new Set([2, 9, 15, 22, 28, 52, 57, 121, 10_334, 17_419, 17_420])

/** What a server said about one of several operations. */
export interface MongoFailure {
  readonly index: number
  readonly code: unknown
  readonly message: string
}

/** The code of an error of a server. */
export function mongoCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
}

/** Which operations failed of those that a server was sent together; `undefined` where it is not known. */
export function failuresIn(error: unknown): readonly MongoFailure[] | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { writeErrors, result } = error as {
    readonly writeErrors?: unknown
    readonly result?: { getWriteConcernError?(): unknown }
  }
  if (!Array.isArray(writeErrors) || writeErrors.length === 0) return undefined
  // Then those that did not fail are not known to stay, either.
  if (result?.getWriteConcernError?.()) return undefined
  return writeErrors.map(({ index, code, errmsg }) => ({
    index: Number(index),
    code,
    message: String(errmsg),
  }))
}

/** Whether no further attempt would change this. */
export function isRefusal(code: unknown): boolean {
  return refusing.has(code)
}

/** Whether the driver will never send this. */
export function isUnsendable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return (
    error.name.startsWith('BSON') ||
    (error.name === 'MongoInvalidArgumentError' && error.message.includes('larger than'))
  )
}

/** Whether a key is there already that is not the document's own: one that somebody else declared unique. */
export function isForeignKey({ code, message }: MongoFailure): boolean {
  return code === duplicateKey && /index: (?!_id_)/.test(message)
}

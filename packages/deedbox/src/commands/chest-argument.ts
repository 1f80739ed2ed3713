import { existsSync } from 'node:fs'
import { type Chest, ChestError, isReadable, openChest, type ReadableChest } from '../chests/index.ts'
import { ConfigurationError, errorMessage } from '../safety/index.ts'
import { printable } from './log-text.ts'
import { UsageError } from './usage-error.ts'

/**
 * A chest that an argument names.
 * @throws UsageError for a URL that names none, and ChestError where its driver is missing
 */
export async function openArgument(url: string): Promise<Chest> {
  try {
    return await openChest(url)
  } catch (error) {
    // It holds nothing of the URL; a password that is a common word would only make it unreadable.
    if (error instanceof ConfigurationError) throw new UsageError(error.message)
    throw error
  }
}

/**
 * A chest that an argument names, and whose entries are wanted.
 * @throws UsageError for a chest that cannot be read, and ChestError for a file that is not there
 */
export async function openReadable(url: string): Promise<ReadableChest> {
  const chest = await openArgument(url)
  // The chest would make the file, and nothing would be found in it.
  if (/^sqlite:/i.test(url) && chest.address !== undefined && !existsSync(chest.address))
    throw new ChestError('unavailable', chest.id, `there is no file ${chest.address}.`)
  if (isReadable(chest)) return chest
  await chest.close()
  throw new UsageError(`${chest.id} can only be written: nothing in it is shown or exported from here.`)
}

/** Says on standard error why a chest failed. @returns the exit code */
export function tellFailure(error: unknown, urls: readonly string[]): number {
  process.stderr.write(`deedbox: ${printable(withoutSecrets(errorMessage(error), urls))}\n`)
  return 1
}

/** A text of a driver without the passwords and tokens that stand in these URLs. */
export function withoutSecrets(text: string, urls: readonly string[]): string {
  return urls.flatMap(secretsIn).reduce((said, secret) => said.replaceAll(secret, '[redacted]'), text)
}

/** As they are written, and as a driver has them. */
function secretsIn(url: string): string[] {
  const [, password] = /^[^/?#]*:\/\/[^:@/?#]*:([^@/?#]+)@/.exec(url) ?? []
  const token = /[?&](?:token|password)=([^&#]+)/g
  const written = [password, ...[...url.matchAll(token)].map(([, value]) => value)]
  return written.flatMap(secret => (secret === undefined ? [] : [secret, decoded(secret)]))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

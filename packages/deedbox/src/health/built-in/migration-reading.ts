import { isMissingTable, UnreadableScripts } from './migration-state.ts'

/** Reads a tool's table: there are no rows where it does not exist yet. */
export async function rowsIfAny<Row>(read: () => PromiseLike<readonly Row[]>): Promise<readonly Row[]> {
  try {
    return await read()
  } catch (error) {
    if (isMissingTable(error)) return []
    throw error
  }
}

/** Reads a column of a tool's table as {@link rowsIfAny} does. */
export async function namesIn(
  read: () => PromiseLike<readonly Readonly<Record<string, unknown>>[]>,
  column: string,
): Promise<string[]> {
  return (await rowsIfAny(read)).map(row => String(row[column]))
}

/** Reads the scripts that a service brings. */
export async function scriptsOf<Scripts>(read: () => Promise<Scripts>): Promise<Scripts> {
  try {
    return await read()
  } catch (error) {
    throw new UnreadableScripts(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

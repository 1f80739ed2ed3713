import { errorMessage } from '../safety/index.ts'
import { ChestError } from '../tracking/index.ts'

/**
 * Loads the package of a database, which is installed only where it is used.
 * @param chest the id of the chest
 * @param name the package, as `npm i` knows it
 * @throws ChestError `driver_missing`
 */
export async function loadDriver<Driver>(
  chest: string,
  name: string,
  load: () => Promise<Driver>,
): Promise<Driver> {
  try {
    return await load()
  } catch (error) {
    throw new ChestError(
      'driver_missing',
      chest,
      `the package ${name} could not be loaded; run: npm i ${name} (${errorMessage(error)})`,
      { cause: error },
    )
  }
}

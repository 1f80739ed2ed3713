import type { ChestHarness } from './chest-harness.ts'
import { failureSuite } from './failure-suite.ts'
import { readingSuite } from './reading-suite.ts'
import { serviceSuite } from './service-suite.ts'
import { valueSuite } from './value-suite.ts'
import { writersSuite } from './writers-suite.ts'

/** What holds for every chest, whatever it writes to. Registers tests. (FC-15, FC-23, FC-24, FC-25, FC-28, FC-29) */
export function chestConformance(harness: ChestHarness): void {
  valueSuite(harness)
  serviceSuite(harness)
  writersSuite(harness)
  failureSuite(harness)
  if (harness.isReadable) readingSuite(harness)
}

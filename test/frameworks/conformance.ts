import { answersSuite } from './answers-suite.ts'
import { badInputSuite } from './bad-input-suite.ts'
import { contextSuite } from './context-suite.ts'
import type { FrameworkHarness } from './harness.ts'
import { healthSuite } from './health-suite.ts'
import { lifecycleSuite } from './lifecycle-suite.ts'
import { outcomesSuite } from './outcomes-suite.ts'
import { requestsSuite } from './requests-suite.ts'
import { summarySuite } from './summary-suite.ts'
import { trackedSuite } from './tracked-suite.ts'

/** Runs the whole suite against one framework. */
export function frameworkConformance(harness: FrameworkHarness): void {
  outcomesSuite(harness)
  lifecycleSuite(harness)
  requestsSuite(harness)
  contextSuite(harness)
  badInputSuite(harness)
  answersSuite(harness)
  summarySuite(harness)
  trackedSuite(harness)
  healthSuite(harness)
}

import { frameworkConformance } from './conformance.ts'
import { nextHarness } from './next.ts'
import { nextProcesses } from './next-processes.ts'

frameworkConformance(nextHarness(15))
nextProcesses(15)

import { frameworkConformance } from './conformance.ts'
import { nextHarness } from './next.ts'
import { nextDev, nextProcesses } from './next-processes.ts'

frameworkConformance(nextHarness(16))
nextProcesses(16)
nextDev(16)

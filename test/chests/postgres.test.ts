import { chestConformance } from './conformance.ts'
import { postgresHarness } from './postgres-harness.ts'

chestConformance(postgresHarness)

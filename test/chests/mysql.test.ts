import { chestConformance } from './conformance.ts'
import { mysqlHarness } from './mysql-harness.ts'

chestConformance(mysqlHarness)

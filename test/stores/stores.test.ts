import { storeConformance } from './conformance.ts'
import { harness as sqlite } from './sqlite.ts'

// The next store is one line here and one harness beside it.
storeConformance(sqlite)

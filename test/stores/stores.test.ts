import { storeConformance } from './conformance.ts'
import { keyChangeConformance } from './key-changes.ts'
import { harness as sqlite } from './sqlite.ts'

// The next store is one line of each here and one harness beside it.
storeConformance(sqlite)
keyChangeConformance(sqlite)

import { frameworkConformance } from './conformance.ts'
import { express4 } from './express-4/harness.ts'
import { express5 } from './express-5/harness.ts'

frameworkConformance(express4)
frameworkConformance(express5)

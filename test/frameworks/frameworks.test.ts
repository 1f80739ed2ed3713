import { frameworkConformance } from './conformance.ts'
import { express5, express5WithErrorHandler } from './express-5.ts'
import { nodeHttp } from './node-http.ts'

// The next framework is one line here and one harness beside it.
frameworkConformance(nodeHttp)
frameworkConformance(express5)
frameworkConformance(express5WithErrorHandler)

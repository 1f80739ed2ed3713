import { frameworkConformance } from './conformance.ts'
import { nodeHttp } from './node-http.ts'

frameworkConformance(nodeHttp)

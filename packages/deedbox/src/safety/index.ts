export { ConfigurationError, type FoundVariable, findVariable } from './environment.ts'
export { errorMessage, errorName, errorTrace } from './error-text.ts'
export { createRedactor, type RedactionOptions, type Redactor } from './redaction.ts'
export { createSerializer, logLimits, quote, type Serializer, type SerializerLimits } from './serializer.ts'

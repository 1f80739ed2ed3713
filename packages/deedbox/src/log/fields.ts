import { errorMessage } from '../safety/index.ts'

/** Extra fields of a line. */
export type LogFields = Readonly<Record<string, unknown>>

/** Fields over others; where they cannot be read, a field that says so in their place. */
export function joined(bound: LogFields, fields: LogFields): LogFields {
  try {
    return { ...bound, ...fields }
  } catch (error) {
    return { ...bound, fields_unreadable: errorMessage(error) }
  }
}

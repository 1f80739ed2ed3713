import type { Schema } from './json-schema.ts'

const plain: readonly Schema[] = [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }]

/** A value, or a list of values of one kind with at least one entry. */
const simple: readonly Schema[] = [...plain, ...plain.map(items => ({ type: 'array', items, minItems: 1 }))]

/**
 * What mozlog 2.0 allows: only `Timestamp` has to be there, and a member of `Fields` is simple, or an object that has a
 * simple `value`. (DF-44, DF-47)
 */
export const mozlogSchema: Schema = {
  type: 'object',
  required: ['Timestamp'],
  properties: {
    Timestamp: { type: 'integer', minimum: 0 },
    Type: { type: 'string' },
    Logger: { type: 'string' },
    Hostname: { type: 'string', pattern: /^[\w-]+(\.[\w-]+)*\.?$/ },
    EnvVersion: { type: 'string', pattern: /^\d+(\.\d+)?(\.\d+)?$/ },
    Severity: { type: 'integer', minimum: 0, maximum: 7 },
    Pid: { type: 'integer', minimum: 0 },
    Fields: {
      type: 'object',
      minProperties: 1,
      additionalProperties: {
        anyOf: [
          ...simple,
          {
            type: 'object',
            required: ['value'],
            properties: { value: { anyOf: simple }, representation: { type: 'string' } },
          },
        ],
      },
    },
  },
}

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parse } from 'csv-parse/sync'
import { type Chest, csv, jsonLines, type LineFileOptions, type TrackedValue } from 'deedbox/chests'
import { tempFolder } from '../end-to-end/ledger-process.ts'
import type { ChestHarness, Stored } from './chest-harness.ts'

/** One kind of file that entries are appended to. */
export interface LineKind {
  readonly name: 'jsonLines' | 'csv'
  readonly open: (file: string | URL, options?: LineFileOptions) => Chest
  /** What a reader that is not the chest finds in a file. */
  readonly read: (text: string) => ReadEntry[]
}

/** An entry as such a file has it. */
export interface ReadEntry extends Stored {
  readonly id: string
}

/** The characters of names and ids that a row of CSV shows by their signs. */
const signs: Readonly<Record<string, string>> = { '␊': '\n', '␍': '\r', '␉': '\t', '；': ';' }

/** A line of JSON each. */
export const jsonLinesKind: LineKind = {
  name: 'jsonLines',
  open: jsonLines,
  read: text => linesOf(text).map(line => readEntry(JSON.parse(line))),
}

/** Read as the documentation of `csv` says. */
export const csvKind: LineKind = {
  name: 'csv',
  open: csv,
  read: text =>
    parse<Record<string, string>>(text, { columns: true }).map(row => {
      const unsigned = (text: string): string => text.replace(/[␊␍␉；]/g, sign => signs[sign]!)
      const [name, request_id] = [unsigned(row.name!), unsigned(row.request_id!)]
      const [route, method, status] = [row.route, row.method, row.status].map(cell =>
        cell === '' ? null : cell,
      )
      return readEntry({
        ...row,
        ...{
          name,
          request_id,
          route,
          method,
          value: typed(row.type!, row.value!),
          tags: JSON.parse(row.tags!),
        },
        status: status === null ? null : Number(status),
      })
    }),
}

/** The lines of a text, each of which has to have its end. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n')
  assert.equal(lines.pop(), '', 'the last line has no end')
  return lines
}

/** How the conformance suite knows such a file. */
export function lineHarness({ name, open, read }: LineKind): ChestHarness {
  let places = 0
  return {
    name,
    skip: false,
    isIdempotent: false,
    isReadable: false,
    async place(t: TestContext) {
      const file = join(tempFolder(t), `vars-${places++}`)
      let chests = 0
      return {
        open: options => open(file, { ...options, name: `file ${chests++}` }),
        stored: async () => read(readFileSync(file, 'utf8')),
        program: `
          import { ${name} } from 'deedbox/chests'
          const open = () => ${name}(${JSON.stringify(file)})`,
      }
    },
  }
}

/** A test of each kind. */
export function forEachKind(title: string, run: (t: TestContext, kind: LineKind) => Promise<void>): void {
  for (const kind of [jsonLinesKind, csvKind]) test(`${title} (${kind.name})`, t => run(t, kind))
}

function readEntry(row: Readonly<Record<string, unknown>>): ReadEntry {
  const { entry_id, request_id, created_at, ...rest } = row
  const [, seconds = '', micros = ''] =
    /^(.+)\.(\d{6})Z$/.exec(String(created_at)) ?? assert.fail(String(created_at))
  return {
    ...(rest as unknown as Stored),
    id: String(entry_id),
    requestId: String(request_id),
    timestamp: Date.parse(`${seconds}Z`) * 1_000 + Number(micros),
  }
}

function typed(type: string, text: string): TrackedValue {
  if (type !== 'string') return JSON.parse(text)
  return /^'[=+\-@\t\uff1d\uff0b\uff0d\uff20]/.test(text) ? text.slice(1) : text
}

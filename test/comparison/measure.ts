import { availableParallelism } from 'node:os'
import { type Cell, cellOf } from './cell.ts'
import { play } from './play.ts'
import type { Reader } from './reading.ts'
import { type Row, rows } from './rows.ts'
import { scenarios } from './scenarios.ts'

/** A row that was played: a cell for each scenario, in order. */
export interface MeasuredRow {
  readonly row: Row
  readonly cells: readonly Cell[]
  /** The cells with the row's further step, if it has one. */
  readonly withStep: readonly Cell[] | undefined
}

/** Plays the six requests against every service of the table, a few at a time. */
export async function measure(): Promise<MeasuredRow[]> {
  const measured: MeasuredRow[] = []
  const waiting = [...rows.entries()]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [at, row] = next
      const cells = await cellsOf(row.service, row.read)
      const withStep = row.step === undefined ? undefined : await cellsOf(row.step.service, row.read)
      measured[at] = { row, cells, withStep }
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return measured
}

async function cellsOf(service: string, read: Reader): Promise<Cell[]> {
  const { output, statuses } = await play(service)
  const readings = read(output)
  return scenarios.map(scenario =>
    cellOf(
      scenario,
      readings.filter(({ path }) => path === scenario.path),
      statuses.get(scenario),
    ),
  )
}

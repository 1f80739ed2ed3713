// Loaded before a ledger in the clock drill: a stand-in for somebody who sets the machine's clock. The system's clock
// cannot be set in a test, and a time namespace shifts the monotonic clocks only. Every reading of the time in the
// process and its threads is shifted by the milliseconds that stand in the file DEEDBOX_DRILL_CLOCK.
import { readFileSync } from 'node:fs'

const file = process.env.DEEDBOX_DRILL_CLOCK ?? ''
const RealDate = Date

globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [Date.now()] : args))
  }

  static now() {
    return RealDate.now() + Number(readFileSync(file, 'utf8'))
  }
}

// What a verification met that is not as it was signed.

import type { Verdict } from './verdict.ts'

/** One thing that is not as it was signed. */
export interface Finding {
  verdict: Verdict
  /** The entry that it concerns, if it concerns one. */
  index?: number
  /** Names table, column, part or file, and what is wrong. */
  detail: string
}

const kept = 20

/** Collects findings: counts all, keeps the first. */
export class Findings {
  /** The first ones, in the order in which they were found. */
  readonly first: Finding[] = []
  /** How many there were in all. */
  count = 0

  /** Takes one more. */
  add(verdict: Verdict, detail: string, index?: number): void {
    this.count++
    if (this.first.length === kept) return
    this.first.push({ verdict, detail, ...(index === undefined ? {} : { index }) })
  }

  /** What is wrong with one entry says more than that the whole no longer fits a signature. */
  get worst(): Finding | undefined {
    return this.first.find(finding => finding.index !== undefined) ?? this.first[0]
  }
}

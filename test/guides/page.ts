import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../end-to-end/ledger-process.ts'

/** One fenced block of a page. */
interface Fence {
  readonly language: string
  /** With a line break at its end. */
  readonly text: string
  readonly line: number
}

/** A page of the documentation, with a record of which of its blocks a test has used. */
export class Page {
  readonly path: string
  /** The page as it is. */
  readonly text: string
  readonly #fences: readonly Fence[]
  readonly #used = new Set<Fence>()

  /**
   * @param path relative to the repository
   * @param section only what stands below this heading, up to the next one of its level
   */
  constructor(path: string, section?: string) {
    this.path = path
    const text = readFileSync(join(root, path), 'utf8')
    this.text = section === undefined ? text : sectionOf(text, section)
    this.#fences = fencesIn(this.text)
  }

  /** The one block that holds the given text; from now on it counts as tested. */
  fence(holding: string): string {
    const found = this.#fences.filter(({ text }) => text.includes(holding))
    assert.equal(found.length, 1, `${this.path} has ${found.length} blocks with ${JSON.stringify(holding)}`)
    const [fence] = found as [Fence]
    this.#used.add(fence)
    return fence.text
  }

  /** The lines of a log that the block with the given text shows. */
  shown(holding: string): Record<string, unknown>[] {
    return this.fence(holding)
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
  }

  /** Fails unless the page says so; for what a test is about to prove. Line breaks count as blanks. */
  says(sentence: string): void {
    assert(this.text.replaceAll(/\s+/g, ' ').includes(sentence), `${this.path} does not say: ${sentence}`)
  }

  /** The blocks that no test has used, as `path:line: first line`. */
  untested(): string[] {
    return this.#fences
      .filter(fence => !this.#used.has(fence))
      .map(({ line, text }) => `${this.path}:${line}: ${text.split('\n')[0]}`)
  }
}

/** The last test of a page's file: all that the page shows was compiled, run or compared. */
export function everyBlockIsTested(page: Page): void {
  test(`every block of ${page.path} was used by a test`, () => {
    assert.deepEqual(page.untested(), [])
  })
}

/** A text in which one place is replaced; fails if there is not exactly one. */
export function replaceOnce(text: string, what: string, by: string): string {
  const parts = text.split(what)
  assert.equal(parts.length, 2, `${parts.length - 1} times, and not once: ${what}`)
  return parts.join(by)
}

/** A service that listens on any free port, where the page names one. */
export function onFreePort(service: string, port = '8080'): string {
  return replaceOnce(service, port, '0')
}

function sectionOf(text: string, heading: string): string {
  const [, ...parts] = text.split(`\n${heading}\n`)
  assert.equal(parts.length, 1, `no heading, or several: ${heading}`)
  const level = /^#+/.exec(heading)?.[0].length ?? 0
  const [section = ''] = (parts[0] ?? '').split(new RegExp(`\n#{1,${level}} `))
  return section
}

function fencesIn(text: string): Fence[] {
  const fences: Fence[] = []
  let open: { language: string; lines: string[]; line: number } | undefined
  for (const [at, line] of text.split('\n').entries()) {
    const mark = /^```(\w*)$/.exec(line)
    if (mark === null) open?.lines.push(line)
    else if (open === undefined) open = { language: mark[1] ?? '', lines: [], line: at + 1 }
    else {
      fences.push({ language: open.language, text: `${open.lines.join('\n')}\n`, line: open.line })
      open = undefined
    }
  }
  assert.equal(open, undefined, 'a block has no end')
  return fences
}

import { createHash } from 'node:crypto'
import { LedgerError } from '../errors.ts'
import type { ExportManifest } from './ledger-export.ts'

const newline = 0x0a

/**
 * Watches the bytes of an export go by and says at the end whether it is whole. Holds one line, the last so far.
 */
export class ExportEnd {
  readonly #hash = createHash('sha256')
  #last: Buffer = Buffer.alloc(0)
  #lines = 0

  /** The index of the newest event line that has gone by in full, -1 before the first. */
  get index(): number {
    return Number(/^\{"index":(\d+),/.exec(this.#last.subarray(0, 32).toString('latin1'))?.[1] ?? -1)
  }

  /** Takes the next bytes, wherever they were cut. */
  take(bytes: Buffer): void {
    const all = this.#last.length === 0 ? bytes : Buffer.concat([this.#last, bytes])
    // The line before a final newline may be the manifest; whatever stands before that line is not.
    const start = all.lastIndexOf(newline, all.length - 2) + 1
    const before = all.subarray(0, start)
    this.#hash.update(before)
    for (let at = before.indexOf(newline); at >= 0; at = before.indexOf(newline, at + 1)) this.#lines++
    this.#last = Buffer.from(all.subarray(start))
  }

  /**
   * The manifest of what went by.
   *
   * @throws LedgerError `incomplete` when the last line is no manifest, or speaks of other bytes
   */
  manifest(): ExportManifest {
    const manifest = manifestOf(this.#last)
    if (manifest === undefined) {
      throw new LedgerError(
        'incomplete',
        `The export broke off after ${this.#lines} events: it has no manifest as its last line. Run it again.`,
      )
    }
    if (manifest.count !== this.#lines || manifest.sha256 !== this.#hash.digest('hex')) {
      throw new LedgerError(
        'incomplete',
        'The export is not what its last line says: bytes were lost or changed on the way. Run it again.',
      )
    }
    return manifest
  }
}

function manifestOf(line: Buffer): ExportManifest | undefined {
  if (line.at(-1) !== newline) return undefined
  try {
    const { manifest } = JSON.parse(line.toString('utf8')) as { manifest?: ExportManifest }
    return manifest
  } catch {
    return undefined
  }
}

import { createHash, hash } from 'node:crypto'
import {
  canonicalJson,
  commitmentInput,
  formatCheckpoint,
  formatEventLeaf,
  formatReceipt,
  type LeafKind,
  leafHash,
  type NoteSigner,
  type Part,
  parseVerifierKey,
  parts,
  proveInclusion,
  RightEdge,
  signNote,
  tileSubtreeReader,
  type VerifierKey,
} from '@deedbox/tlog'
import { ed25519Signer, generateSigningKey, nodeCrypto, parseSigningKey } from '@deedbox/tlog/node'

const { sha256 } = nodeCrypto
/** The origin of every {@link SmallLog}. */
export const origin = 'ledger.example/small'

/** One event of an export, as its line. */
export type ExportLine = Record<string, unknown> & { index: number; salts: Record<string, string> }

/** An event ledger in memory, made of the parts of tlog alone. */
export class SmallLog {
  readonly leaves: Uint8Array[] = []
  readonly tree: RightEdge = RightEdge.empty(sha256)
  readonly key: VerifierKey
  readonly keyText: string
  readonly #signer: NoteSigner
  readonly #tiles = new Map<string, Uint8Array>()
  readonly #lines: ExportLine[] = []

  constructor() {
    const { privateKey, verifierKey } = generateSigningKey(origin)
    this.keyText = verifierKey
    this.key = parseVerifierKey(sha256, verifierKey)
    this.#signer = ed25519Signer(origin, parseSigningKey(privateKey).seed)
  }

  /** Appends an event. */
  append(payload: string, kind: LeafKind = 'event'): void {
    const index = this.leaves.length
    const tx_id = `tx_${String(index).padStart(24, '0')}`
    const at = new Date(1_700_000_000_000 + index).toISOString()
    const core = { type: 'info', event_name: 'test.done', service: 'test' }
    const context = index % 2 === 0 ? {} : { actor: { type: 'user', id: 'u_1' }, 7: 'x' }
    const server = { principal: 'writer_1', request_id: `request-${index}` }
    const contents = {
      core: canonicalJson(core),
      context: canonicalJson(context),
      payload,
      server: canonicalJson(server),
    }
    const salts = parts.map((_, i) => hash('sha256', `${index} ${i}`, 'buffer'))
    const commitments = parts.map((part, i) =>
      hash(
        'sha256',
        commitmentInput(salts[i]!, origin, tx_id, part, Buffer.from(contents[part])),
        'base64url',
      ),
    )
    const committed = Object.fromEntries(parts.map((part, i) => [part, commitments[i]])) as Record<
      Part,
      string
    >
    const leaf = Buffer.from(formatEventLeaf({ at, kind, ledger: origin, tx_id, v: 1, ...committed }))
    this.leaves.push(leaf)
    this.tree.append(leafHash(sha256, leaf))
    for (const { level, n, hashes } of this.tree.takeChangedTiles()) this.#tiles.set(`${level}/${n}`, hashes)
    this.#lines.push({
      index,
      tx_id,
      at,
      kind,
      payload,
      meta: { ...core, ...context },
      server,
      salts: Object.fromEntries(parts.map((part, i) => [part, Buffer.from(salts[i]!).toString('base64')])),
    })
  }

  /** A stored hash tile. */
  tile(level: number, n: number): Uint8Array {
    return this.#tiles.get(`${level}/${n}`) ?? new Uint8Array()
  }

  /** The signed checkpoint of the log as it is; `more` signers sign as well. */
  checkpoint(more: NoteSigner[] = []): string {
    const { size } = this.tree
    return this.sign(formatCheckpoint({ origin, size, root: this.tree.root() }), more)
  }

  /** Signs anything with the log's key. */
  sign(text: string, more: NoteSigner[] = []): string {
    return signNote(text, [this.#signer, ...more])
  }

  /** The lines of an export of `[from, to)`; they may be changed before {@link exportText}. */
  lines(from: number, to: number, checkpoint: string): ExportLine[] {
    const { size } = this.tree
    const read = tileSubtreeReader(sha256, (level, n) => this.tile(level, n), size)
    return this.#lines.slice(from, to).map((line, i) => {
      const index = from + i
      const receipt = formatReceipt({
        index,
        leaf: this.leaves[index]!,
        proof: proveInclusion(sha256, index, size, read),
        checkpoint,
        verifierKey: this.keyText,
        disclosed: {},
      })
      return { ...structuredClone(line), receipt }
    })
  }

  /** An export of these lines, with its last line. */
  exportText(
    lines: readonly (ExportLine | string)[],
    checkpoint: string,
    more: Record<string, unknown> = {},
  ): string {
    const body = lines.map(line => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')
    const manifest = {
      format: 'deedbox-export/v1',
      ledger: origin,
      name: 'main',
      verifier_keys: [this.keyText],
      checkpoint,
      tree_size: this.tree.size,
      from: 0,
      to: this.tree.size,
      filters: {},
      count: lines.length,
      exported_at: '2026-11-20T00:00:00.000Z',
      sha256: createHash('sha256').update(body).digest('hex'),
      ...more,
    }
    return `${body}${JSON.stringify({ manifest })}\n`
  }
}

/** A log of so many events. */
export function smallLog(size: number): SmallLog {
  const log = new SmallLog()
  for (let n = 0; n < size; n++) log.append(JSON.stringify({ n }))
  return log
}

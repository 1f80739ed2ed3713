import {
  type Checkpoint,
  canonicalJson,
  checkInclusion,
  decodeBase64,
  type EventLeaf,
  encodeUtf8,
  leafHash,
  matchesCommitment,
  type Part,
  parseEventLeaf,
  parseReceipt,
  parts,
  type Receipt,
  TlogError,
  type Verdict,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { isObject } from './json-object.ts'

const { sha256 } = nodeCrypto

/** One event of an export whose place in the signed tree is proved. */
export interface ExportedEvent {
  index: number
  leaf: EventLeaf
  /** The hash of the leaf, 32 bytes. */
  hash: Uint8Array
  /** The parts that are shown, each what was committed to. */
  parts: Partial<Record<Part, Uint8Array>>
  /** The parts that are gone. */
  missing: Part[]
}

/** Why a line of an export does not hold. */
export class ExportFault extends Error {
  readonly verdict: Verdict

  /** @param message a sentence about the event */
  constructor(verdict: Verdict, message: string) {
    super(message)
    this.verdict = verdict
  }
}

const members = ['index', 'tx_id', 'at', 'kind', 'payload', 'meta', 'server', 'salts', 'receipt']
const coreMembers = ['type', 'event_name', 'service', 'env']

/** The index that a line claims, if it can be read at all; for findings. */
export function claimedIndex(line: string): number | undefined {
  const index = /^\{"index":(\d{1,15})[,}]/.exec(line)?.[1]
  return index === undefined ? undefined : Number(index)
}

/**
 * Checks one event line of an export: that its leaf stands in the tree of the export's checkpoint, that what the line
 * says is what the leaf says, and that each part which is shown is what the leaf committed to.
 *
 * @param checkpoint whose signature was verified
 * @param note the checkpoint as text: every receipt has to be for this one
 * @throws ExportFault
 */
export function checkExportLine(line: string, checkpoint: Checkpoint, note: string): ExportedEvent {
  const event = parseLine(line)
  try {
    const receipt = parseReceipt(String(event.receipt))
    const hash = leafHash(sha256, receipt.leaf)
    requireReceipt(event, receipt, hash, checkpoint, note)
    const leaf = parseEventLeaf(receipt.leaf)
    const { index } = receipt
    for (const name of ['tx_id', 'at', 'kind'] as const) {
      if (event[name] !== leaf[name]) throw wrong(`The ${name} of event ${index} is not what its leaf says.`)
    }
    if (leaf.ledger !== checkpoint.origin) throw wrong(`The leaf of event ${index} is of another ledger.`)
    return { index, leaf, hash, ...requireParts(event, leaf) }
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    throw new ExportFault(verdictOf(error), `Event ${String(event.index)}: ${error.message}`)
  }
}

/** One spelling only: of a member that stands there twice, two programs may read two things. */
function parseLine(line: string): Record<string, unknown> {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch {
    throw wrong('A line is no JSON.')
  }
  if (!isObject(event) || Object.keys(event).join() !== members.join()) {
    throw wrong(`A line is no event of an export: it has exactly the members ${members.join(', ')}.`)
  }
  if (JSON.stringify(event) !== line) {
    throw wrong(`The line of event ${String(event.index)} is not spelled as an export spells it.`)
  }
  return event
}

function requireReceipt(
  event: Record<string, unknown>,
  receipt: Receipt,
  hash: Uint8Array,
  { size, root }: Checkpoint,
  note: string,
): void {
  const { index, proof } = receipt
  if (event.index !== index) throw wrong(`The receipt of event ${String(event.index)} is of event ${index}.`)
  if (receipt.checkpoint !== note) {
    throw wrong(`The receipt of event ${index} is for another checkpoint than that of the export.`)
  }
  if (index >= size) {
    throw new ExportFault('not_covered', `Event ${index} lies beyond the ${size} entries of the checkpoint.`)
  }
  checkInclusion(sha256, { index, size, leafHash: hash, proof, root })
}

function requireParts(
  event: Record<string, unknown>,
  leaf: EventLeaf,
): Pick<ExportedEvent, 'parts' | 'missing'> {
  const index = String(event.index)
  const { salts } = event
  if (!isObject(salts)) throw wrong(`The line of event ${index} has no salts.`)
  const shown: Partial<Record<Part, Uint8Array>> = {}
  const missing: Part[] = []
  const contents = contentsOf(event)
  for (const part of parts) {
    const content = contents[part]
    const salt = salts[part]
    if (salt === undefined) {
      // An empty context looks like one that is gone.
      if (content !== undefined && !(part === 'context' && content === '{}')) {
        throw wrong(`The ${part} of event ${index} is shown without its salt, so nothing proves it.`)
      }
      missing.push(part)
      continue
    }
    const bytes = typeof salt === 'string' ? decodeBase64(salt) : undefined
    if (content === undefined || bytes === undefined) {
      throw wrong(`The ${part} of event ${index} has a salt but is not shown, or its salt is no base64.`)
    }
    const disclosure = { salt: bytes, content: encodeUtf8(content) }
    if (!matchesCommitment(nodeCrypto, leaf, part, disclosure)) {
      throw wrong(`The ${part} of event ${index} is not what was committed to.`)
    }
    shown[part] = disclosure.content
  }
  const unknown = Object.keys(salts).find(name => !(parts as readonly string[]).includes(name))
  if (unknown !== undefined) throw wrong(`Event ${index} has a salt of "${unknown}", which is no part.`)
  return { parts: shown, missing }
}

/** The texts that were committed to, of what is there. */
function contentsOf({
  payload,
  meta,
  server,
  index,
}: Record<string, unknown>): Partial<Record<Part, string>> {
  if (!isObject(meta)) throw wrong(`The meta of event ${String(index)} is no object.`)
  const core = Object.entries(meta).filter(([name]) => coreMembers.includes(name))
  const rest = Object.entries(meta).filter(([name]) => !coreMembers.includes(name))
  return {
    ...(core.length === 0 ? {} : { core: canonicalJson(Object.fromEntries(core)) }),
    context: canonicalJson(Object.fromEntries(rest)),
    ...(typeof payload === 'string' ? { payload } : {}),
    ...(isObject(server) ? { server: canonicalJson(server) } : {}),
  }
}

function wrong(message: string): ExportFault {
  return new ExportFault('content_mismatch', message)
}

function verdictOf(error: TlogError): Verdict {
  if (error.code === 'unknown_version') return 'unknown_version'
  return error.code === 'size_out_of_range' ? 'not_covered' : 'content_mismatch'
}

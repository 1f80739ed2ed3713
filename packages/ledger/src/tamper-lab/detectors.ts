import { cpSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkReceipt, parseReceipt, type Verdict, type VerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import type { Attack, Exhibit, Means } from './attack.ts'
import { type Laboratory, type LedgerCopy, withLedger } from './laboratory.ts'

/** `deedbox verify --data`: re-reads a data folder. `guardFolder` may be `off`. */
export type VerifyFolder = (options: {
  folder: string
  pinned: readonly VerifierKey[]
  kept?: string
  guardFolder: string
}) => Promise<{ verdict: Verdict; findings: readonly { verdict: Verdict; index?: number; detail: string }[] }>

/** What one means said about one attack. */
export interface Outcome {
  means: Means
  /** A verdict, the code of a refusal, or `starts`. */
  said: string
  /** What the laboratory's table says that it has to say; undefined: nothing was expected of it. */
  expected: string | undefined
  /** Whether that means that something is wrong. */
  noticed: boolean
  /** The event that the first finding names. */
  index?: number
  /** The sentence of the first finding or of the refusal. */
  detail?: string
}

const harmless = ['ok', 'ok_unpinned', 'starts']

/** Whether a means that says so has noticed nothing. */
function isHarmless(said: string): boolean {
  return harmless.includes(said)
}

/** Looks at what an attack left with every means that applies, as a user would. */
export async function detect(
  lab: Laboratory,
  attack: Attack,
  exhibit: Exhibit,
  verify: VerifyFolder,
): Promise<Outcome[]> {
  const found =
    exhibit.what === 'receipt'
      ? [lookAtReceipt('no_key', exhibit.text, []), lookAtReceipt('key', exhibit.text, [lab.pinned])]
      : await lookAtLedger(lab, exhibit, verify)
  return found.map(({ means, said, ...rest }) => {
    return { means, said, expected: attack.expected[means], noticed: !isHarmless(said), ...rest }
  })
}

type Look = Pick<Outcome, 'means' | 'said' | 'index' | 'detail'>

async function lookAtLedger(
  lab: Laboratory,
  { copy, kept = lab.kept, others }: Extract<Exhibit, { what: 'ledger' }>,
  verify: VerifyFolder,
): Promise<Look[]> {
  const pinned = [lab.pinned]
  const look = async (
    means: Means,
    options: { pinned?: VerifierKey[]; kept?: string; guardFolder?: string },
  ): Promise<Look> => {
    const { verdict, findings } = await verify({ folder: copy.data, pinned, guardFolder: 'off', ...options })
    const worst = findings.find(({ index }) => index !== undefined) ?? findings[0]
    return {
      means,
      said: verdict,
      ...(worst?.index === undefined ? {} : { index: worst.index }),
      ...(worst === undefined ? {} : { detail: worst.detail }),
    }
  }
  return [
    await look('no_key', { pinned: [] }),
    await look('key', {}),
    await look('checkpoint', { kept: kept.checkpoint }),
    await look('receipt', { kept: parseReceipt(kept.receipt).checkpoint }),
    await look('guard', { guardFolder: copy.guard }),
    await start(lab, copy),
    ...(others === undefined ? [] : [await look('others', { kept: others })]),
  ]
}

/** Opens a copy of the copy, for opening leaves traces: guard and published checkpoint. */
async function start(lab: Laboratory, copy: LedgerCopy): Promise<Look> {
  const folder = join(lab.folder, '.started')
  cpSync(dirname(copy.data), folder, { recursive: true })
  const data = join(folder, 'data')
  const started = { data, database: join(data, 'ledger.db'), guard: join(folder, 'guard') }
  try {
    await withLedger(started, lab.signingKey, async () => {})
    return { means: 'start', said: 'starts' }
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string }
    if (typeof code !== 'string') throw error
    return { means: 'start', said: code, detail: message }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function lookAtReceipt(means: Means, text: string, pinned: VerifierKey[]): Look {
  const { verdict, detail, receipt } = checkReceipt(nodeCrypto, text, pinned)
  return isHarmless(verdict)
    ? { means, said: verdict }
    : { means, said: verdict, index: receipt.index, detail }
}

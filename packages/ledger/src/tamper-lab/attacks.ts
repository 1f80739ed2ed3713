import type { Attack } from './attack.ts'
import { contentAttacks } from './content-attacks.ts'
import { historyAttacks } from './history-attacks.ts'
import { receiptAttacks } from './receipt-attacks.ts'

/** Every attack of the laboratory, those of the same people together. */
export const attacks: readonly Attack[] = [...contentAttacks, ...historyAttacks, ...receiptAttacks]

/** URL-like text: it stands in checkpoints, key names and leaves, so nothing that any of them would escape. */
const originForm = /^[A-Za-z0-9._~:/-]{1,255}$/
const nameForm = /^[a-z0-9][a-z0-9-]{0,62}$/

/** Whether a text can be the first line of checkpoints (decision 14). */
export function isOrigin(text: string): boolean {
  return originForm.test(text)
}

/** Whether a text can name a ledger inside its file, in URLs and in the keys folder. */
export function isLedgerName(text: string): boolean {
  return nameForm.test(text)
}

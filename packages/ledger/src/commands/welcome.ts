/** What `deedbox serve` says on standard output when it is ready. */
export interface Welcome {
  address: string
  folder: string
  created: boolean
  size: number
  verifierKey: string
  /** Shown this once; undefined when the ledger had a key already or the operator brought one. */
  newApiKey: string | undefined
}

/** The text for a person at a terminal: what there is, and the three commands to try next. */
export function welcomeText({ address, folder, created, size, verifierKey, newApiKey }: Welcome): string {
  const events = `${size} ${size === 1 ? 'entry' : 'entries'}`
  const lines = [
    created ? `A new Deedbox ledger, in ${folder}` : `The Deedbox ledger in ${folder}, ${events}`,
    '',
    `  address       ${address}`,
    `  verifier key  ${verifierKey}`,
    '                Hand it out: who has it can check this ledger without trusting it.',
  ]
  if (newApiKey === undefined) return `${lines.join('\n')}\n`
  const auth = '-H "Authorization: Bearer $DEEDBOX_API_KEY"'
  lines.push(
    '',
    'Its first API key, shown this once. Keep it, and set it where you try the commands below:',
    '',
    `  export DEEDBOX_API_KEY=${newApiKey}`,
    '',
    'Three commands to try next:',
    '',
    '  # 1. store an event; the answer comes once it is durable',
    `  TX=$(curl -s ${address}/v1/events ${auth} -H 'Content-Type: application/json' \\`,
    `    -d '{"payload":"{\\"amount\\":5}","meta":{"type":"info","event_name":"demo.paid","service":"demo"}}' \\`,
    "    | grep -o 'tx_[0-9a-z]\\{24\\}'); echo $TX",
    '',
    '  # 2. look at it',
    `  curl -s ${address}/v1/events/$TX ${auth}`,
    '',
    '  # 3. fetch its receipt and check it offline',
    `  curl -s ${address}/v1/events/$TX/receipt ${auth} -o receipt.tlog-proof`,
    `  npx deedbox verify receipt.tlog-proof --key '${verifierKey}'`,
  )
  return `${lines.join('\n')}\n`
}

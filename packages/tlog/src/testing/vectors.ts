// The worked example that the tests share: a log and a witness with fixed seeds, and what they signed. Every
// text was first computed by a separate program and checked with Go's sumdb packages and with Python.

/** 32 bytes counting up from `first`. */
export function countingBytes(first: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => first + i)
}

export const log: {
  readonly origin: string
  readonly seed: Uint8Array
  readonly publicKey: string
  readonly keyId: number
  readonly verifierKey: string
  readonly signingKey: string
} = {
  origin: 'ledger.example/acme',
  seed: countingBytes(0x00),
  publicKey: '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8',
  keyId: 0xf1d8e151,
  verifierKey: 'ledger.example/acme+f1d8e151+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4',
  signingKey: 'PRIVATE+KEY+ledger.example/acme+f1d8e151+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f',
}

export const witness: {
  readonly name: string
  readonly seed: Uint8Array
  readonly keyId: number
  readonly verifierKey: string
  readonly time: number
} = {
  name: 'witness.example/w1',
  seed: countingBytes(0x20),
  keyId: 0x20324abe,
  verifierKey: 'witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X',
  time: 1_700_000_000,
}

/** The checkpoint of event-0 … event-6: its text, the log's signature line, and the witness's. */
export const checkpointText = 'ledger.example/acme\n7\ngTvaOkIAD4KUtqlU6oN5LC3vrmUkbvdgr5/dU699Rjg=\n'
export const logLine =
  '— ledger.example/acme 8djhUb1QLKX3Kk8aGkxrhLRvaMY5bgxlKS+x9bLR9r7Lv2JdXYYw98Cv08i19e1ghcwj0/4ogefDSIbvxHrH4+kjdAw=\n'
export const witnessLine =
  '— witness.example/w1 IDJKvgAAAABlU/EAc565nUhAkBdFNsRFqV05putFHc9J2usoWE/RFu8+dJAHR7PJTtwRO3TFGlkPTU1eubBbZbLVDsEbY/awd1uADw==\n'
export const logNote: string = `${checkpointText}\n${logLine}`
export const cosignedNote: string = `${checkpointText}\n${logLine}${witnessLine}`

/** The root of event-0 … event-6, and the proof of event-2 in it. */
export const rootOf7 = '813bda3a42000f8294b6a954ea83792c2defae65246ef760af9fdd53af7d4638'
export const proofOf2In7: readonly string[] = [
  'Xz5pjPk3YirKfGvyc+8hdgkuwzwWLcyuOd+HAWJdGJ8=',
  'P9HVoFmrFxo0X5kSyDwt2LeTO06VDmdJvIPbsfQ8y94=',
  'CdE923ZptzRMGk5/zSfZNnUk1MxvmDHjZ9hsED0563g=',
]
export const proofFileOf2In7: string = `c2sp.org/tlog-proof@v1\nindex 2\n${proofOf2In7.join('\n')}\n\n${cosignedNote}`

const units: Readonly<Record<string, number>> = { '': 1, B: 1, KB: 1e3, MB: 1e6, GB: 1e9 }

/** Bytes of a size: a number, or a text like `10 MB` (kB, MB, GB: powers of 1,000); `undefined` for anything else. */
export function byteSize(size: number | string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) *([kMG]?B)?$/i.exec(String(size)) ?? []
  const bytes = Math.floor(Number(digits) * (units[(unit ?? '').toUpperCase()] ?? Number.NaN))
  return bytes >= 1 ? bytes : undefined
}

/** What stands for a secret in a text that is shown. */
const mark = '‹the secret›'

/** How the text around a secret reads, without the secret; `undefined` if it is not in it, in any of its forms. */
export function aroundSecret(text: string, secret: string): string | undefined {
  const forms = formsOf(secret)
  for (const reading of readingsOf(text)) {
    if (!forms.some(form => reading.includes(form))) continue
    const around = forms.reduce((rest, form) => rest.replaceAll(form, mark), reading)
    const at = around.indexOf(mark)
    return around.slice(Math.max(0, at - 60), at + 72)
  }
  return undefined
}

/** How a secret may be written, the longest first so that none leaves a part of another. */
function formsOf(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1)
  const bytes = Buffer.from(secret)
  const forms = new Set([
    secret,
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    ...[0, 1, 2].flatMap(before => [
      base64Amid(bytes, before, 'base64'),
      base64Amid(bytes, before, 'base64url'),
    ]),
  ])
  return [...forms].sort((a, b) => b.length - a.length)
}

/**
 * The characters of base64 that depend on the secret alone, if so many bytes, counted modulo three, stand before it:
 * as in `Basic` credentials, where a name does.
 */
function base64Amid(secret: Buffer, before: number, alphabet: 'base64' | 'base64url'): string {
  const text = Buffer.concat([Buffer.alloc(before), secret])
    .toString(alphabet)
    .replace(/=+$/, '')
  const isShared = (before + secret.length) % 3 !== 0
  return text.slice(before === 0 ? 0 : before + 1, isShared ? -1 : undefined)
}

/** A text as it is, and as readers of JSON, of JSON within JSON, of addresses and of forms read it. */
function* readingsOf(text: string): Generator<string> {
  let read = text
  for (let depth = 0; depth < 3; depth++) {
    yield read
    if (read.includes('%')) yield unquoted(read)
    if (read.includes('+')) yield unquoted(read.replaceAll('+', ' '))
    if (!read.includes('\\')) return
    read = unescaped(read)
  }
}

const short: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-f]{4})|(.))/gi, (_, code?: string, letter = '') =>
    code === undefined ? (short[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
  )
}

/** Percent signs that stand for nothing stay. */
function unquoted(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, run => Buffer.from(run.replaceAll('%', ''), 'hex').toString())
}

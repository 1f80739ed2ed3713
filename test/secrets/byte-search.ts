/** The forms in which a text may stand in a file. */
function formsOf(text: string): readonly Buffer[] {
  const json = JSON.stringify(text).slice(1, -1)
  const forms = [
    text,
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(text),
    encodeURIComponent(encodeURIComponent(text)),
    encodeURIComponent(text).replaceAll('%20', '+'),
    ...base64Forms(text),
  ]
  return [...new Set(forms)].map(form => Buffer.from(form))
}

/** The characters of base64 that depend on the text alone, at each of the three places where it may begin. */
function base64Forms(text: string): readonly string[] {
  return [0, 1, 2].map(offset => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
    const whole = bytes.toString('base64').replace(/=+$/, '')
    return whole.slice(Math.ceil((offset * 8) / 6), bytes.length % 3 === 0 ? undefined : -1)
  })
}

/** Bytes by which a form is looked up before it is compared. */
const keyBytes = 4
const bits = 20

/**
 * Which of the texts stand in the bytes, in whatever form, each with what is around it. One pass for all of them:
 * there are thousands of forms, and tens of megabytes.
 */
export function findTexts(bytes: Buffer, texts: Iterable<string>): ReadonlyMap<string, string> {
  const byKey = new Map<number, { text: string; form: Buffer }[]>()
  const mayBegin = new Uint8Array(1 << bits)
  for (const text of new Set(texts)) {
    for (const form of formsOf(text)) {
      const key = form.readUInt32BE(0)
      mayBegin[slot(key)] = 1
      byKey.set(key, [...(byKey.get(key) ?? []), { text, form }])
    }
  }
  const found = new Map<string, string>()
  let key = 0
  for (let i = 0; i < bytes.length; i++) {
    key = ((key << 8) | bytes[i]!) >>> 0
    if (mayBegin[slot(key)] === 0) continue
    const at = i + 1 - keyBytes
    for (const { text, form } of byKey.get(key) ?? []) {
      if (found.has(text) || !form.equals(bytes.subarray(at, at + form.length))) continue
      found.set(text, bytes.toString('latin1', Math.max(0, at - 300), at + form.length + 60))
    }
  }
  return found
}

function slot(key: number): number {
  return Math.imul(key, 2_654_435_761) >>> (32 - bits)
}

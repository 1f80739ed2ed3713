const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/

/** A JSON string of the text as it is; lone surrogates become U+FFFD, which every reader accepts. */
export function quote(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text.toWellFormed()) : `"${text}"`
}

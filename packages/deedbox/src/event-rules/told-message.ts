/** The longest message of an answer, in characters. */
const longest = 500

/** A message as an answer carries it: what a client sent and the message repeats may be as long as a body. */
export function toldMessage(message: string): string {
  if (message.length <= longest) return message
  return `${message.slice(0, longest - 200)} … ${message.slice(-190)}`.toWellFormed()
}

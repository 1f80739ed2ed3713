import { collectedErrors, createRedactor, errorMessage, errorName } from '../../safety/index.ts'

const redactor = createRedactor()

/** The longest text that is repeated; those of Prisma are pages. */
const longest = 300

/** The text of an error, which those that collect others, such as one for each address of a host, lack themselves. */
export function ownText(thrown: unknown): string {
  const [first] = collectedErrors(thrown)
  return errorMessage(thrown) || (first === undefined ? errorName(thrown) : errorMessage(first))
}

/** A text in one line of bounded length, without secrets and without the users of URLs. */
export function shortened(text: string): string {
  const line = redactor
    .text(text)
    .replaceAll(/\/\/[^\s/@]*@/g, '//')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}

import { collectedErrors, createRedactor, errorMessage, errorName } from '../../safety/index.ts'

const redactor = createRedactor()

/** The longest text that is repeated; those of Prisma are pages. */
const longest = 300

/** The text of an error, which those that collect others, such as one for each address of a host, lack themselves. */
export function ownText(thrown: unknown): string {
  const [first] = collectedErrors(thrown)
  return errorMessage(thrown) || (first === undefined ? errorName(thrown) : errorMessage(first))
}

/** A user or a role, as servers quote it: `user "ann"`, `user 'ann'@'%'`, "credentials for `ann`". */
const namedUser =
  /\b(users?|roles?|logins?|accounts?|credentials for)[ :=]+(?:"[^"]*"|'[^']*'(?:@'[^']*')?|`[^`]*`(?:@`[^`]*`)?)/gi

/** A word without the user of the URL that it has; its password may have any sign that a URL may not. */
function withoutUser(word: string): string {
  const begins = word.indexOf('//')
  const ends = word.lastIndexOf('@')
  return begins >= 0 && ends > begins ? `${word.slice(0, begins + 2)}${word.slice(ends + 1)}` : word
}

/** A text in one line of bounded length, without secrets and without users. */
export function shortened(text: string): string {
  const line = redactor
    .text(text.replaceAll(/\S+/g, withoutUser))
    .replaceAll(namedUser, '$1')
    .replaceAll(/\b(user) \S+ (?=(?:has|already|was|is|does) )/gi, '$1 ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return line.length > longest ? `${line.slice(0, longest)}…` : line
}

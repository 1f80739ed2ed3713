import { harmlessTexts, writtenSecrets } from '../../packages/deedbox/src/testing/secrets.ts'

/** What is handed to a service at one place, and what nobody may find afterwards. */
export interface Entry {
  readonly what: string
  /** Absent for what has to survive. */
  readonly secret: string | undefined
  readonly text: string
  /** The name under which the value stands, for places that have names. */
  readonly name: string
}

/** Names that announce a secret, in the styles in which code, headers, forms and variables write them. */
const secretNames: readonly string[] = [
  'password',
  'newPassword',
  'password_confirmation',
  'USER_PASSWORD',
  'user-passwd',
  'passPhrase',
  'dbPass',
  'DB_PASS',
  'pwd',
  'apiKey',
  'X-API-Key',
  'api_key_2',
  'accessToken',
  'refresh_token',
  'csrf-token',
  'token1',
  'client_secret',
  'clientSecretValue',
  'AWS_SECRET_ACCESS_KEY',
  'privateKey',
  'Authorization',
  'proxy-authorization',
  'Cookie',
  'set-cookie',
  'session_id',
  'connect.sid',
  'PHPSESSID',
  'jwt',
  'otp',
  'pin',
  'card[cvc]',
  'cardNumber',
  'ssn',
  'signature',
  'encryption-key',
]

/** A value that nothing but its name gives away, another one for each name. */
function plainSecret(n: number): string {
  return `Tr0ub${n}dor-and-${n}`
}

/** Every secret of the corpus, by shape and by name. */
export const secrets: readonly Entry[] = [
  ...writtenSecrets.map(({ what, text, secret }, n) => ({
    what,
    // Many of them hold the same password; here each has one of its own, so that a leak tells where it came from.
    text: text.replaceAll(/Tr0ub4dor-and-3/g, plainSecret(100 + n)),
    secret: secret.replaceAll(/Tr0ub4dor-and-3/g, plainSecret(100 + n)),
    name: 'password',
  })),
  ...secretNames.map((name, n) => ({
    what: `a value under ${name}`,
    // In a text, names with brackets and full stops stand in forms.
    text: `${name}=${plainSecret(n)}`,
    secret: plainSecret(n),
    name,
  })),
]

/** What looks like a secret and is none; not those that hold one where it is none, which cannot be told apart here. */
const survivors: readonly string[] = [
  ...harmlessTexts.filter(text => text !== ''),
  'order 2026-000123456',
  'invoice 100200300400500600',
  'request 0198f2a4-7c1e-7b3d-9a55-0242ac120002',
  'commit 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12',
  'at 2026-11-20T18:49:02.123456Z for 00:00:12',
  'phone +43 1 234 56 78',
  'version 1.2.3-rc.4+build.5',
  'mac 00:1a:2b:3c:4d:5e from fe80::1',
  'price 1.234.567,89 EUR',
].filter(text => !secrets.some(({ secret = '' }) => text.includes(secret)))

/**
 * What has to survive at a place, marked with it, so that it is found again. Each place takes every third of the
 * harmless texts, from another one on.
 */
export function controls(place: string): readonly Entry[] {
  return survivors
    .filter((_text, i) => i % 3 === place.length % 3)
    .map(text => ({
      what: `harmless: ${text}`,
      text: `${text} kept ${place}`,
      secret: undefined,
      name: 'remark',
    }))
}

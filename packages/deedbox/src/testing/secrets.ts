/** A secret as it is written somewhere, and the part that nobody may read afterwards. */
export interface WrittenSecret {
  readonly what: string
  readonly text: string
  readonly secret: string
}

// Made up, and put together here, so that no scanner takes this file for a leak.
const jwt = `eyJ${'hbGciOiJIUzI1NiJ9'}.eyJ${'zdWIiOiIxMjM0NTY3ODkwIn0'}.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJVadQssw5c`
const deedKey = `deed_live_${'Zk3vN8qLw2RtY6uB1xCm'}`
const immutableKey = `iml_live_${'9f8e7d6c5b4a39281706'}`
const stripeKey = `sk_live_${'4eC39HqLyjWDarjtT1zdp7dc'}`
const githubKey = `ghp_${'16C7e42F292c6912E7710c838347Ae178B4a'}`
const awsKey = `AKIA${'IOSFODNN7EXAMPLE'}`
const slackKey = `xoxb-${'123456789012-abcdefABCDEF'}`
const password = 'Tr0ub4dor-and-3'
const card = '4111111111111111'
const pem = `-----BEGIN ${'PRIVATE KEY'}-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END ${'PRIVATE KEY'}-----`

/** Secrets that their shape or the name before them gives away, in the texts in which they turn up. */
export const writtenSecrets: readonly WrittenSecret[] = [
  { what: 'a bearer token', text: `Authorization failed: Bearer ${jwt}`, secret: jwt },
  { what: 'a short bearer token', text: 'sent Bearer abc123def', secret: 'abc123def' },
  { what: 'a JSON Web Token alone', text: `token was ${jwt}, which expired`, secret: jwt },
  { what: 'basic credentials', text: 'header Basic dXNlcjpodW50ZXIy', secret: 'dXNlcjpodW50ZXIy' },
  { what: 'a Deedbox key', text: `key ${deedKey} is unknown`, secret: deedKey.slice(10) },
  { what: 'an ImmutableLog key', text: `key ${immutableKey} is unknown`, secret: immutableKey.slice(9) },
  { what: 'a Stripe key', text: `Invalid API Key provided: ${stripeKey}`, secret: stripeKey.slice(8) },
  { what: 'a GitHub token', text: `git clone with ${githubKey}`, secret: githubKey.slice(4) },
  { what: 'an AWS key id', text: `signed by ${awsKey}.`, secret: awsKey.slice(4) },
  { what: 'a Slack token', text: `posting as ${slackKey}`, secret: slackKey.slice(5) },
  { what: 'a private key', text: `cannot read ${pem}`, secret: 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC' },
  { what: 'a private key cut off', text: pem.slice(0, 60), secret: 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC' },
  { what: 'a card number', text: `charged ${card} twice`, secret: card },
  { what: 'a card number that ends a sentence', text: `Declined: ${card}.`, secret: card },
  { what: 'a card number in groups', text: 'card 4111 1111 1111 1111 declined', secret: '1111 1111' },
  { what: 'a card number with hyphens', text: 'card 4111-1111-1111-1111 declined', secret: '1111-1111' },
  { what: 'an Amex number in groups', text: 'card 3782 822463 10005 declined', secret: '822463' },
  { what: 'a password in a URL', text: `connect postgres://app:${password}@db/x`, secret: password },
  { what: 'a form body', text: `body was user=ann&password=${password}&x=1`, secret: password },
  { what: 'a nested form body', text: `body was user[password]=${password}&x=1`, secret: password },
  { what: 'a form list', text: `body was password[]=${password}&x=1`, secret: password },
  { what: 'a JSON body', text: `body was {"user":"ann","password":"${password}"}`, secret: password },
  { what: 'a JSON body in JSON', text: `{"body":"{\\"password\\":\\"${password}\\"}"}`, secret: password },
  { what: 'an inspected object', text: `{ user: 'ann', apiKey: '${password}' }`, secret: password },
  { what: 'a URL in a message', text: `GET https://h/x?a=1&token=${password} failed`, secret: password },
  { what: 'a URL as a value', text: `url=https://h/x?access_token=${password}`, secret: password },
  { what: 'a URL fragment', text: `https://h/cb#access_token=${password}`, secret: password },
  { what: 'a cookie header', text: `Cookie: theme=dark; connect.sid=${password}`, secret: password },
  { what: 'a set-cookie header', text: `Set-Cookie: id=${password}; Path=/`, secret: password },
  {
    what: 'digest credentials',
    text: `Authorization: Digest u="a", response="${password}"`,
    secret: password,
  },
  { what: 'a header', text: `X-Api-Key: ${password}`, secret: password },
  { what: 'a variable', text: `DB_PASSWORD=${password}`, secret: password },
]

/** Texts that look like secrets and are none; a log needs to keep them as they are. */
export const harmlessTexts: readonly string[] = [
  '',
  'charging the card',
  'GET /orders/12345 completed successfully',
  'key: value',
  'monkey=banana&primary_key=42',
  'the bearer of bad news',
  'bearer bonds, basic training',
  'Basic income for all',
  '2026-11-20T18:49:02.000123+00:00',
  '2026-11-20 18:49:02',
  '550e8400-e29b-41d4-a716-446655440000',
  // A UUID whose middle digits pass the Luhn check.
  'a4111111-1111-1111-8e29-b41d4a716446',
  '41111111-1111-1111-a716-446655440000',
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  // A hash with a card number inside.
  'e3b0c44298fc1a4111111111111111ae41e4649b934ca495991b7852b855aaaa',
  // 16 digits with a wrong check digit, an issuer digit that no card has, too few and too many digits.
  '4111111111111112',
  '1111111111111117',
  '411111111111',
  '41111111111111111111',
  '4111111111111.25',
  'took 1763664542000123 microseconds',
  'https://example.com/path?page=2&sort=asc#top',
  'postgres://db.example.com:5432/app',
  'ann@example.com wrote to bob@example.com: hello',
  'json {"a":1} and %s and %d and {} and {0} and {{x}}',
  'Zürich, 東京 and 🦊 at 100 %',
  'eyJust a word. And another',
  'deed_ and sk_live_ are prefixes',
]

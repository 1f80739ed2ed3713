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

const openAiKey = `sk-${'proj-T3BlbkFJabcdEFGH1234567890ijklMNOP'}`
const anthropicKey = `sk-${'ant-api03-abcdEFGH1234567890ijklMNOPqrst'}`
const npmToken = `npm_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'}`
const googleKey = `AIza${'SyA1234567890abcdefghijklmnopqrstuv'}`
const sendGridKey = `SG.${'abcdEFGH1234567890ijkl.MNOPqrst1234567890abcdEFGHijklMNOPqrst12345'}`
const webhookSecret = `whsec_${'C2FVsBQIhrscChlQIMV2bSY2kT3Bdl7Y'}`
const gitlabToken = `glpat-${'Zx9y8W7v6U5t4S3r2Q1p'}`
const oauthToken = `ya29.${'a0AfH6SMBabcdEFGH1234567890'}`
const slackHook = `T0001/B0001/${'XyZabcdEFGH1234567890ijk'}`
const rsaPem = `-----BEGIN ${'RSA PRIVATE KEY'}-----\nMIICXAIBAAKBgQDP7tz9QW\nXYZabcdEFGHijkl0123456789\n-----END ${'RSA PRIVATE KEY'}-----`
const parseError = `Unexpected token 'x', ..."rd":"${'hunter2!!'}" x}" is not valid JSON`

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
  { what: 'an Amex number in groups', text: 'card 3782 822463 10005 declined', secret: '822463 10005' },
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
  { what: 'an OpenAI key', text: `Incorrect API key provided: ${openAiKey}.`, secret: openAiKey.slice(3) },
  { what: 'an Anthropic key', text: `tried ${anthropicKey}`, secret: anthropicKey.slice(3) },
  { what: 'an npm token', text: `publishing with ${npmToken}`, secret: npmToken.slice(4) },
  { what: 'a Google key', text: `maps called with ${googleKey}`, secret: googleKey.slice(4) },
  { what: 'a SendGrid key', text: `mail by ${sendGridKey}`, secret: sendGridKey.slice(3) },
  { what: 'a webhook secret', text: `verified by ${webhookSecret}`, secret: webhookSecret.slice(6) },
  { what: 'a GitLab token', text: `cloned by ${gitlabToken}`, secret: gitlabToken.slice(6) },
  { what: 'an OAuth token of Google', text: `refreshed ${oauthToken}`, secret: oauthToken.slice(5) },
  { what: 'a Slack hook', text: `POST https://hooks.slack.com/services/${slackHook}`, secret: slackHook },
  { what: 'a key behind an escape', text: `{"a":"line\\n${githubKey}"}`, secret: githubKey.slice(4) },
  { what: 'a key behind an underscore', text: `default_${stripeKey}`, secret: stripeKey.slice(8) },
  { what: 'a private key of RSA', text: `key:\n${rsaPem}`, secret: 'XYZabcdEFGHijkl0123456789' },
  {
    what: 'a private key in JSON',
    text: JSON.stringify({ pem: rsaPem }),
    secret: 'XYZabcdEFGHijkl0123456789',
  },
  { what: 'a bearer token behind a tab', text: `Bearer\t${password}`, secret: password },
  { what: 'an upper-case scheme', text: 'header BASIC dXNlcjpodW50ZXIy', secret: 'dXNlcjpodW50ZXIy' },
  { what: 'a card number before its code', text: `${card} 12/27 123`, secret: card },
  { what: 'a card number behind a digit', text: `5 ${card}`, secret: card },
  { what: 'a card number behind a word', text: `card-${card}`, secret: card },
  { what: 'a card number with full stops', text: 'card 4111.1111.1111.1111', secret: '1111.1111' },
  {
    what: 'a card number with wide spaces',
    text: 'card 4111\u00a01111\u00a01111\u00a01111',
    secret: '1111\u00a01111',
  },
  { what: 'an @ in the password of a URL', text: `redis://:p@ss${password}@cache:6379`, secret: password },
  { what: 'a slash in the password of a URL', text: `amqp://u:pa/ss${password}@mq`, secret: password },
  { what: 'escaped slashes in a URL', text: `https:\\/\\/u:${password}@h`, secret: password },
  {
    what: 'a token as user of a URL',
    text: `https://${'0a1b2c3d4e5f60718293'}@git.example/x.git`,
    secret: '0a1b2c3d4e5f60718293',
  },
  { what: 'an encoded pair', text: `next=%2Fb%3Ftoken%3D${password}`, secret: password },
  { what: 'a pair encoded twice', text: `next=%252Fb%253Ftoken%253D${password}`, secret: password },
  { what: 'an encoded name', text: `/x?pass%77ord=${password}`, secret: password },
  { what: 'a name encoded twice', text: `/x?pass%2577ord=${password}`, secret: password },
  { what: 'an encoded name in brackets', text: `user%5Bpassword%5D=${password}`, secret: password },
  { what: 'an encoded JSON body', text: `%7B%22password%22%3A%22${password}%22%7D`, secret: password },
  {
    what: 'an encoded password in an encoded URL',
    text: `https%3A%2F%2Fuser%3A${password}%40h`,
    secret: password,
  },
  { what: 'a form field in several steps', text: `card[cvc][0]=${password}`, secret: password },
  { what: 'a list in JSON', text: `{"password":["a","${password}"],"x":1}`, secret: password },
  { what: 'an object in JSON', text: `{"password": {"v":"${password}"}}`, secret: password },
  { what: 'an inspected list', text: `{ tokens: 2, token: [ 'a', '${password}' ] }`, secret: password },
  {
    what: 'an inspected text of several lines',
    text: `{ password: 'a line\\n' +\n    '${password}' }`,
    secret: password,
  },
  { what: 'an inspected text in back ticks', text: `{ password: \`it's "${password}"\` }`, secret: password },
  {
    what: 'JSON in JSON in JSON',
    text: JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ password }) }) }),
    secret: password,
  },
  { what: 'JSON in HTML', text: `{&quot;password&quot;:&quot;${password}&quot;}`, secret: password },
  { what: 'an arrow', text: `:password => "${password}"`, secret: password },
  { what: 'a comma in a value', text: `password=a,b;c)${password} done`, secret: password },
  { what: 'white space before the sign', text: `password            :   ${password}`, secret: password },
  {
    what: 'a name at the end of a long word',
    text: `${'x'.repeat(80)}_password=${password}`,
    secret: password,
  },
  {
    what: 'an element',
    text: `<soap:Body><wsse:Password Type="t">${password}</wsse:Password></soap:Body>`,
    secret: password,
  },
  {
    what: 'an option of a command',
    text: `Command failed: psql --password ${password} -h db`,
    secret: password,
  },
  { what: 'an error of joi', text: `"password" with value "${password}" fails to match`, secret: password },
  { what: 'a JSON text that could not be parsed', text: parseError, secret: 'hunter2!!' },
  { what: 'a session of Java', text: `;JSESSIONID=${password}`, secret: password },
  { what: 'a session of PHP', text: `PHPSESSID=${password}; path=/`, secret: password },
  { what: 'a password as databases call it', text: `DB_PASS=${password}`, secret: password },
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
  'at handle (/app/src/auth.ts:12:5) and file:///app/token.js:3:1',
  '[auth]: ready, [token] is fine',
  'order-20261120184902 of 20261120184902123',
  'Basic Training and Bearer Bonds Inc',
  'http://localhost:8080/path?mail=ann@example.com and http://[::1]:80/a@b',
  'use --token to pass one, or --password and type it',
  '<name>Ann</name><count>4</count>',
  'at 100 % of 50%25 %zz %e4%bd%a0%20x',
  'sk-learn-is-a-name-of-a-python-package',
  'npm_package_version and npm_lifecycle_event',
  'boarding: compass=north bypass=true, max_tokens: 512',
  '9d2f1c4a8b7e6f5d4c3b2a190817263544332211',
  'trace 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7',
  "Unexpected token '}' at position 5",
  '3.141592653589793 and 4111-11-11',
]

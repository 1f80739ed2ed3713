/** Names that are secret only when they are the whole name: as parts of longer names they are too common. */
const wholeNames: readonly string[] = [
  'auth',
  'bearer',
  'cardnumber',
  'ccnumber',
  'connectsid',
  'cookies',
  'creditcard',
  'cvc',
  'cvv',
  'jwt',
  'otp',
  'pan',
  'pass',
  'pin',
  'pwd',
  'sessionid',
  'sid',
  'sig',
  'signature',
  'ssn',
  'xamzcredential',
  'xamzsignature',
  'xgoogsignature',
]

/** A name that ends with one of these is secret: `stripeToken`, `db_pwd`, `session_cookie`. */
const endings: readonly string[] = ['accesskey', 'cookie', 'passcode', 'pwd', 'token']

/** A name that contains one of these anywhere is secret: `passwordConfirmation`, `client_secret_2`. */
const parts: readonly string[] = [
  'apikey',
  'authorization',
  'credential',
  'passphrase',
  'passwd',
  'password',
  'privatekey',
  'secret',
]

/** What callers add to and take from the default list; see {@link RedactionOptions}. */
export interface SecretNameLists {
  readonly keys: readonly string[]
  readonly allow: readonly string[]
}

/**
 * Builds the test "does this key name announce a secret?". Case and the separators `_ - . : [ ] $` and spaces
 * do not matter, so `api_key`, `apiKey`, `X-API-Key` and `user[api.key]` are all caught.
 */
export function secretNameTest(lists: SecretNameLists): (name: string) => boolean {
  const whole = new Set([...wholeNames, ...lists.keys.map(normalise)])
  const allowed = new Set(lists.allow.map(normalise))
  return name => {
    const plain = normalise(name)
    if (allowed.has(plain)) return false
    return (
      whole.has(plain) || endings.some(end => plain.endsWith(end)) || parts.some(part => plain.includes(part))
    )
  }
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[\s_\-.:[\]$]/g, '')
}

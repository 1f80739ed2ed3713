import { decodePercent } from './percent-encoding.ts'

/** Names that are secret only when they are the whole name: as parts of longer names they are too common. */
export const wholeNames: readonly string[] = [
  'aspnetsessionid',
  'auth',
  'basicauth',
  'bearer',
  'ccnumber',
  'ccnum',
  'codeverifier',
  'connectsid',
  'cookies',
  'creditcard',
  'cvn',
  'httpauth',
  'jsessionid',
  'jwt',
  'mfacode',
  'netsessionid',
  'otp',
  'otpcode',
  'pan',
  'pass',
  'passw',
  'pin',
  'pincode',
  'proxyauth',
  'pw',
  'securitycode',
  'sessionid',
  'sid',
  'sig',
  'signature',
  'socialsecuritynumber',
  'ssn',
  'totp',
  'totpcode',
  'xamzcredential',
  'xamzsignature',
  'xauth',
  'xgoogsignature',
]

/** A name that ends with one of these is secret: `stripeToken`, `db_pwd`, `session_cookie`. */
export const endings: readonly string[] = [
  'accesskey',
  'accountkey',
  'authkey',
  'cardno',
  'cardnumber',
  'cookie',
  'cvc',
  'cvv',
  'dbpass',
  'decryptionkey',
  'encryptionkey',
  'hmackey',
  'licensekey',
  'masterkey',
  'passcode',
  'pwd',
  'sessid',
  'sessionkey',
  'sharedkey',
  'signingkey',
  'sshkey',
  'subscriptionkey',
  'token',
  'tokenstring',
  'tokenvalue',
  'userpass',
]

/** A name that contains one of these anywhere is secret: `passwordConfirmation`, `client_secret_2`. */
export const parts: readonly string[] = [
  'apikey',
  'authorization',
  'credential',
  'passphrase',
  'passwd',
  'password',
  'privatekey',
  'secret',
]

/** Last words that are secret behind others, where writing tells words apart: `db_pass`, `userPass`, `app.sid`. */
const lastWord = /[\s_\-.:[\]$](?:pass|pw)\]?$|\.sid$/i
const lastCamelWord = /[a-z\d]P(?:ass|w|W)$/

/** What callers add to and take from the default list; see {@link RedactionOptions}. */
export interface SecretNameLists {
  readonly keys: readonly string[]
  readonly allow: readonly string[]
}

/**
 * Builds the test "does this key name announce a secret?". Case and the separators `_ - . : [ ] $` and spaces
 * do not matter, nor does a number at the end, so `api_key`, `apiKey`, `X-API-Key-2` and `user[api.key]` are all
 * caught. Of a name in several steps, as forms have them, each step counts: `card[pin]`.
 */
export function secretNameTest(lists: SecretNameLists): (name: string) => boolean {
  const whole = new Set([...wholeNames, ...lists.keys.map(normalise)])
  const allowed = new Set(lists.allow.map(normalise))

  const isListed = (plain: string): boolean =>
    whole.has(plain) || endings.some(end => plain.endsWith(end)) || parts.some(part => plain.includes(part))

  const isSecret = (name: string): boolean => {
    const plain = normalise(name)
    if (allowed.has(plain)) return false
    return (
      isListed(plain) ||
      isListed(plain.replace(/\d+$/, '')) ||
      lastWord.test(name) ||
      lastCamelWord.test(name)
    )
  }

  return written => {
    const name = written.includes('%') ? decodePercent(written) : written
    if (!/[.:[]/.test(name)) return isSecret(name)
    if (allowed.has(normalise(name))) return false
    const steps = name.split(/[[\]]+/).filter(step => step !== '')
    // Of a name with full stops the last part counts by itself: `payment.pin`, but not `auth.ts`.
    const isSecretStep = (step: string): boolean => isSecret(step.slice(step.search(/[^.:]*$/)))
    const last = steps.findLast(step => !/^\d+$/.test(step)) ?? ''
    const isAllowed = allowed.has(normalise(last.slice(last.search(/[^.:]*$/))))
    return steps.some(isSecretStep) || (!(isAllowed && steps.length > 1) && isSecret(name))
  }
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[\s_\-.:[\]$]/g, '')
}

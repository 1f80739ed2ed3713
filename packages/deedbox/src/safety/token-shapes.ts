/** One kind of secret that is recognised by its shape, wherever in a text it stands. */
export interface SecretShape {
  readonly shape: RegExp
  readonly replace: (match: string, ...groups: string[]) => string
}

/** Every text with a token of {@link tokenShapes} passes this test, and hardly any other. */
export const tokenHint: RegExp =
  /eyJ|(?:deed|iml|[sr]k|gh[pousr]|github|npm|whsec|do[opr]_v1|shp[a-z]{2}|hf|sntrys|lin_api)_|(?:sk|gl[a-z]{2,4}|xox[a-z]|xapp|GOCSPX|pypi|PMAK|SECRET-KEY|sq0[a-z]{3})-|A[KS]IA|AIza|PRIVATE[ +]KEY|private key|SG\.|ya29\.|1\/\/0|hooks\.slack|webhooks\/|:AA/

/** The same for {@link schemeShapes}. */
export const schemeHint: RegExp = /bearer|basic/i

/** No letter or digit comes before; the letter of an escape, as in `\nghp_…`, is none. */
const start = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt]|\\u[\dA-Fa-f]{4}))`

/** What the keys of well-known issuers begin with, ours first, and what follows. */
const issued: readonly string[] = [
  String.raw`(deed_|iml_live_|iml_test_|[sr]k_live_|[sr]k_test_|gh[pousr]_|github_pat_|xox[a-z]-|xoxe\.xox[a-z]-)[\w-]{8,}`,
  String.raw`(whsec_|glpat-|gl(?:rt|dt|cbt|ptt|ft)-|xapp-|pypi-|do[opr]_v1_|shp(?:at|ss|ca|pa)_|GOCSPX-|PMAK-|sntrys_|lin_api_|sq0[a-z]{3}-|AGE-SECRET-KEY-)[\w+/-]{16,}`,
  '(npm_|hf_)[A-Za-z0-9]{20,}',
  String.raw`(ya29\.|1//0)[\w-]{16,}`,
  String.raw`(SG\.)[\w-]{16,64}\.[\w-]{16,}`,
  '(AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])',
  String.raw`(AIza)[\w-]{30,}`,
  // Of OpenAI, Anthropic and others. Names of style sheets begin so too, without capitals and digits.
  String.raw`(sk-)(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[A-Z])[\w-]{20,}`,
]

/** Bearer and basic credentials. */
export function schemeShapes(replacement: string): readonly SecretShape[] {
  return [
    {
      shape:
        /\b(bearer)(?:[\s+]|\\{1,31}[tnr])+(?:[\w.~+/=-]{16,}|(?=[A-Za-z]{0,15}[\d_.~+/=-])[\w.~+/=-]{4,})/gi,
      replace: (_match, scheme = '') => `${scheme} ${replacement}`,
    },
    {
      shape: /\b(basic)(?:[\s+]|\\{1,31}[tnr])+([A-Za-z0-9+/]{6,}={0,2})/gi,
      replace: (match, scheme = '', credentials = '') =>
        isBasic(scheme, credentials) ? `${scheme} ${replacement}` : match,
    },
  ]
}

/** JSON Web Tokens, keys in PEM and of well-known issuers, URLs that are secret. */
export function tokenShapes(replacement: string): readonly SecretShape[] {
  const keepIssuer = (_match: string, issuer = ''): string => `${issuer}${replacement}`
  return [
    {
      shape:
        /-{4,5} ?BEGIN[ +]([A-Z0-9 +]{0,40}PRIVATE[ +]KEY(?:[ +]BLOCK)?) ?-{4,5}[\s\S]*?(?:-{4,5} ?END[ +]\1|$)(?: ?-{4,5})?/gi,
      replace: () => replacement,
    },
    // A run of `-eyJ-eyJ…` is searched once and not once per beginning.
    {
      shape: new RegExp(String.raw`${start}eyJ(?:(?!-eyJ)[\w-]){5,}\.[\w-]{5,}(?:\.[\w-]*){0,3}`, 'g'),
      replace: () => replacement,
    },
    ...issued.map(issue => ({ shape: new RegExp(start + issue, 'g'), replace: keepIssuer })),
    {
      shape: /(hooks\.slack\.com\/[a-z]{1,20}\/|discord(?:app)?\.com\/api\/webhooks\/\d{1,20}\/)[\w/-]{8,}/g,
      replace: keepIssuer,
    },
    // Of a Telegram bot.
    { shape: new RegExp(String.raw`${start}(\d{8,10}:)AA[\w-]{33}`, 'g'), replace: keepIssuer },
  ]
}

/** `Basic Training` is none. What is written in capitals or decodes to `user:password` is taken for credentials. */
function isBasic(scheme: string, credentials: string): boolean {
  if (
    scheme !== 'BASIC' &&
    /^[a-z]{0,15}[A-Z0-9+/=]/.test(credentials) &&
    !/^[A-Z]?[a-z]+$/.test(credentials)
  )
    return true
  return Buffer.from(credentials, 'base64').includes(58)
}

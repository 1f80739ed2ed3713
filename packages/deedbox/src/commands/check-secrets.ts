import { assignments, type Dockerfile } from './check-dockerfile.ts'
import { type Finding, fail, passUnless } from './check-findings.ts'
import type { IgnoreList } from './check-ignore.ts'
import { isWholeFolder, stepsOf } from './check-image.ts'
import type { Workflow } from './check-workflow.ts'

const secretName =
  /(PASSWORD|PASSWD|PASSPHRASE)(_|$)|_(PWD|PASS)$|(^|_)(SECRETS?|TOKEN|API_?KEY|PRIVATE_?KEY|SIGNING_?KEY|ACCESS_?KEY|CREDENTIALS?)(_|$)/i
/** These say where a secret is, how long it holds or what it is like, and not what it is. */
const saysWhere =
  /_(FILE|PATH|DIR|URL|ENDPOINT|NAME|ID|TTL|EXPIRY|LENGTH|SIZE|COUNT|LIMIT|MIN|MAX|ROUNDS|TYPE|POLICY|ENABLED|REQUIRED|ISSUER|AUDIENCE|HEADER)$/i
/** A token of npm in words, which a variable or a mounted secret is not. */
const npmToken = /_(auth|authToken|password)\b["']?\s*[=\s]\s*["']?[^$\s"']/
const secretFile =
  /(^|\/)(\.env(\.(?!example$|sample$|template$)[\w.-]+)?|\.npmrc|\.netrc|\.pgpass|id_(rsa|ed25519|ecdsa)|[^/]*\.(pem|key|p12|pfx)|(service-account|credentials)[\w-]*\.json)$/

/** What the judging of secrets looks at. */
export interface SecretPlaces {
  readonly file: Dockerfile | undefined
  readonly ignored: IgnoreList | undefined
  /** Names in the folder that is built. */
  readonly names: readonly string[]
  /** The text of its `.npmrc`, which is no secret as long as it holds none. */
  readonly npmrc: string | undefined
  readonly workflows: readonly Workflow[]
}

/** Build 6: no secret gets into an image's history or a log. A value is never repeated. (DF-57) */
export function judgeSecrets(places: SecretPlaces): Finding[] {
  const { file, workflows } = places
  const inFile = file === undefined ? [] : [...variables(file), ...copied(file, places)]
  const told = new Set([...inFile, ...workflows.flatMap(inWorkflow)])
  const advice =
    'Give it to the running container by its environment, or to the build by RUN --mount=type=secret.'
  return passUnless(
    'Build 6',
    [...told].map(reason => fail('Build 6', reason, advice)),
    'No secret is in the Dockerfile, what it copies or the workflow.',
  )
}

function variables(file: Dockerfile): string[] {
  const all = [...file.arguments, ...file.stages.flatMap(({ instructions }) => instructions)]
  return all
    .filter(({ name }) => name === 'ARG' || name === 'ENV')
    .flatMap(instruction =>
      assignments(instruction).flatMap(([name, value]) => {
        const where = `${instruction.name} ${name} (line ${instruction.line})`
        const isNamedSo = secretName.test(name) && !saysWhere.test(name)
        if (isNamedSo && (instruction.name === 'ARG' || value !== '')) {
          return [`${where} puts a secret into the history of the image.`]
        }
        return /:\/\/[^/\s:@]*:[^/\s@$]+@/.test(value ?? '')
          ? [`${where} has an address with a password.`]
          : []
      }),
    )
}

function copied(file: Dockerfile, { ignored, names, npmrc }: SecretPlaces): string[] {
  const isHarmless = npmrc !== undefined && !npmToken.test(npmrc)
  const isSecret = (path: string): boolean => secretFile.test(path) && !(isHarmless && path === '.npmrc')
  return file.stages.flatMap(stage =>
    stepsOf(file, stage).flatMap(step => {
      if (typeof step === 'string') {
        return npmToken.test(step) ? ['RUN writes a token of npm into the image.'] : []
      }
      if (step.from !== undefined) return []
      const byName = step.sources.filter(isSecret)
      const byFolder = step.sources.some(isWholeFolder)
        ? names.filter(name => isSecret(name) && !(ignored?.ignores(name) ?? false))
        : []
      return [...byName, ...byFolder].map(name => `COPY puts ${name} into the image.`)
    }),
  )
}

function inWorkflow({ path, text }: Workflow): string[] {
  const lines = text.split('\n')
  const printed = lines.some(
    line => /\b(echo|printf)\b[^|<>]*\$\{\{\s*secrets\./.test(line) && !/\|\s*\S|>>?\s*\S/.test(line),
  )
  const argument =
    lines.some(line => /--build-arg[ =]+\S*?=["']?\$\{\{\s*secrets\./.test(line)) ||
    // What build-push-action is given: the lines below that are indented further.
    [...text.matchAll(/^( *)build-args:.*(?:\n\1 +.*)*/gm)].some(([block]) => /\bsecrets\./.test(block))
  const literal = lines.some(line => /docker login\b.*\s(-p|--password)[ =]+(?!["']?\$)["']?\S/.test(line))
  return [
    ...(printed ? [`${path} prints a secret.`] : []),
    ...(argument
      ? [`${path} gives a secret as a build argument, which stays in the history of the image.`]
      : []),
    ...(literal ? [`${path} holds the password of a registry.`] : []),
  ]
}

import { type Finding, fail, pass, passUnless, unseen, warn } from './check-findings.ts'
import { both, commandsOfWorkflow, either, placesOf, type Told } from './check-workflow-commands.ts'

/** A file that tells a CI system what to do. */
export interface Workflow {
  /** Relative to the folder. */
  readonly path: string
  /** Without its comments. */
  readonly text: string
}

/** What such a file lets happen, as far as its words tell. */
interface WorkflowFacts {
  readonly onChange: boolean
  readonly builds: boolean
  readonly testsCode: boolean
  readonly testsContainer: boolean
  readonly publishes: boolean
  /** Whether it publishes there. */
  readonly onMain: Told
  readonly onTags: Told
  /** Whether some of its work is in files that are not read. */
  readonly isElsewhere: boolean
}

/** Takes the comments out of YAML: what is commented out does not happen. */
export function readWorkflow(path: string, yaml: string): Workflow {
  const lines = yaml.split(/\r?\n/).map(withoutComment)
  return { path, text: lines.filter(line => line.trim() !== '').join('\n') }
}

function withoutComment(line: string): string {
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const before = line[at - 1] ?? ' '
    const letter = line[at]!
    if (quote !== '') {
      if (letter === quote) quote = ''
    } else if (/["']/.test(letter) && /[\s([{,:=]/.test(before)) quote = letter
    else if (letter === '#' && /\s/.test(before)) return line.slice(0, at)
  }
  return line
}

const builds =
  /\b(docker|podman|nerdctl)( buildx)? (build|bake)\b|build-push-action@|bake-action@|docker[ -]compose\b.*\b(build\b|--build\b)|\bbuildah (bud|build)\b|kaniko/
const testsCode =
  /\b(npm (run )?(test|t)\b|npm (run )?(check|ci:test)\b|npx (vitest|jest|mocha)|(yarn|pnpm)( run)? test|node\b.* --test|vitest|jest|pytest|make test)/
const runs = /\b(?:docker|podman|nerdctl) (?:container )?(?:run|exec)\b(.*)/
const composes = /docker[ -]compose\b.*?\b(?:run|exec|up)\b(.*)/
const testers = /container-structure-test|\bdeedbox check\b.*\bhttps?:/
const publishes =
  /\b(docker|podman|nerdctl)( image)? push\b|^\s*push:\s*(true|\$\{\{)|\sbuild\b.*\s--push\b|\bbuildah push\b|--destination[ =]/
/** Servers to test against, and programs that look at files: not what is built here. */
const foreign =
  /(^|\/)(postgres\w*|redis|valkey|my-?sql|mariadb|mongo(db)?|db|rabbitmq|kafka|localstack|elasticsearch|opensearch|hadolint|trivy|dive|grype|syft|dockle|shellcheck)(-\w+)?([:@]|$)|^(node|alpine|ubuntu|debian|busybox|python)([:@]|$)/
const elsewhere =
  /^uses: \S*\.github\/workflows\/|^uses: \.\/|^\s*(- )?(make|just|task|earthly|bazel|nx|turbo|dagger)\s|\.sh\b|\b(npm|pnpm|yarn) run [\w:-]*(docker|image|container|publish|release|deploy)/m

/** Build 1 to 5: from a change to a published image. (DF-57) */
export function judgeWorkflows(workflows: readonly Workflow[], isUnread: boolean): Finding[] {
  if (workflows.length === 0) {
    const reason = isUnread
      ? 'Its CI system is none of GitHub Actions, CircleCI and GitLab.'
      : 'There is no workflow of GitHub Actions, CircleCI or GitLab.'
    if (isUnread) return [1, 2, 3, 4, 5].map(number => unseen(`Build ${number}`, reason))
    const advice = 'Add one that builds the image, tests in it, and publishes it on main and tags.'
    return [1, 2, 4]
      .map(number => fail(`Build ${number}`, reason, advice))
      .concat([3, 5].map(number => unseen(`Build ${number}`, reason)))
  }
  const facts = workflows.map(factsOf)
  const building = facts.filter(({ builds }) => builds)
  const findings = [
    building.some(({ onChange }) => onChange)
      ? pass('Build 1', 'A change of the code builds the image.')
      : fail(
          'Build 1',
          building.length > 0 ? 'Nothing but a person builds the image.' : 'No workflow builds the image.',
          'Build it with docker build or docker/build-push-action on push.',
        ),
    ...tests(facts),
    pass('Build 3', 'The CI system can run an earlier build again.'),
    ...publishing(facts.filter(({ publishes }) => publishes)),
    pass('Build 5', 'The CI system keeps the log of each build.'),
  ]
  if (!facts.some(({ isElsewhere }) => isElsewhere)) return findings
  return findings.map(({ requirement, outcome, reason }) =>
    outcome === 'fail' || outcome === 'warn'
      ? unseen(requirement, `${reason} But workflows call files that are not read here.`)
      : { requirement, outcome, reason },
  )
}

function tests(facts: readonly WorkflowFacts[]): Finding[] {
  return passUnless(
    'Build 2',
    [
      facts.some(({ testsCode, testsContainer }) => testsCode || testsContainer)
        ? undefined
        : warn('Build 2', 'No workflow tests the code.', 'Run npm test.'),
      facts.some(({ testsContainer }) => testsContainer)
        ? undefined
        : fail(
            'Build 2',
            'No workflow tests in the container.',
            'Run it with docker run, and check it there.',
          ),
    ],
    'Tests run on the code and in the container.',
  )
}

function publishing(facts: readonly WorkflowFacts[]): Finding[] {
  if (facts.length === 0) {
    return [fail('Build 4', 'No workflow publishes the image.', 'Push it to a registry on main and on tags.')]
  }
  const places: readonly [string, Told][] = [
    ['main', either(facts.map(({ onMain }) => onMain))],
    ['tags', either(facts.map(({ onTags }) => onTags))],
  ]
  return passUnless(
    'Build 4',
    places.map(([what, told]) => {
      if (told === true) return undefined
      if (told === undefined) {
        return unseen(
          'Build 4',
          `Whether the image is published on ${what} depends on what is not read here.`,
        )
      }
      return fail('Build 4', `The image is not published on ${what}.`, `Let a push to ${what} publish it.`)
    }),
    'The image is published on main and on tags.',
  )
}

function factsOf({ path, text }: Workflow): WorkflowFacts {
  const commands = commandsOfWorkflow(text)
  const some = (pattern: RegExp): boolean => commands.some(({ text }) => pattern.test(text))
  const { onChange, onMain, onTags } = triggers(path, text)
  const publishing = commands
    .filter(({ text }) => publishes.test(text))
    .map(({ text, conditions }) => {
      const [, expression] = /^\s*push:\s*(\$\{\{.*)/m.exec(text) ?? []
      return [...conditions, ...(expression === undefined ? [] : [expression])].map(placesOf)
    })
  return {
    onChange,
    builds: some(builds),
    testsCode: some(testsCode),
    testsContainer: commands.some(({ text }) => text.split('\n').some(testsInContainer)),
    publishes: publishing.length > 0,
    onMain: either(publishing.map(places => places.map(({ main }) => main).reduce(both, onMain))),
    onTags: either(publishing.map(places => places.map(({ tags }) => tags).reduce(both, onTags))),
    isElsewhere: some(elsewhere),
  }
}

/** Options of `docker run` without a value. */
const bare = /^(-[ditPq]+|--(detach|rm|init|interactive|tty|privileged|read-only|publish-all|quiet))$/

function testsInContainer(line: string): boolean {
  if (testers.test(line)) return true
  const services = composes
    .exec(line)?.[1]
    ?.split(/\s+/)
    .filter(word => word !== '' && !word.startsWith('-'))
  if (services !== undefined) return services.length === 0 || services.some(name => !foreign.test(name))
  const words = runs.exec(line)?.[1]?.trim().split(/\s+/)
  if (words === undefined) return false
  let at = 0
  while (words[at]?.startsWith('-')) at += bare.test(words[at]!) || words[at]!.includes('=') ? 1 : 2
  return words[at] === undefined || !foreign.test(words[at]!)
}

interface Triggers {
  readonly onChange: boolean
  readonly onMain: boolean
  readonly onTags: boolean
}

function triggers(path: string, text: string): Triggers {
  if (path.includes('.github/')) return gitHubTriggers(text)
  if (path.includes('.circleci/')) {
    // Without filters CircleCI runs for each branch and for no tag.
    const onMain =
      !/\bbranches:\s*\n?\s*ignore:\s*(\/\.\*\/|\n\s*-\s*\/?\.\*)/.test(text) || mainBranch.test(text)
    return { onChange: true, onMain, onTags: /\btags:/.test(text) }
  }
  // Without rules GitLab runs for each branch and each tag.
  const hasRules = /^\s*(rules|only|workflow):/m.test(text)
  return {
    onChange: true,
    onMain: !hasRules || /CI_DEFAULT_BRANCH|CI_COMMIT_BRANCH/.test(text) || mainBranch.test(text),
    onTags: !hasRules || /CI_COMMIT_TAG/.test(text) || /^\s*-\s*tags\s*$/m.test(text),
  }
}

const mainBranch = /\b(main|master|trunk|default)\b|["']\*\*?["']/

function gitHubTriggers(text: string): Triggers {
  const on = blockOf(text, /^["']?on["']?:/)
  const inline = /\bpush:\s*(\{[^}]*\})/.exec(on)?.[1]
  const push = inline ?? (/^\s*push:/m.test(on) ? blockOf(on, /^\s*push:/) : undefined)
  const byWord = /^["']?on["']?:[^\n]*\bpush\b/.test(on) || /^\s*-\s*push\s*$/m.test(on)
  if (push === undefined) {
    const onChange = byWord || /\b(pull_request|merge_group|workflow_run)\b/.test(on)
    return { onChange, onMain: byWord, onTags: byWord || /\brelease\b/.test(on) }
  }
  const hasBranches = /\bbranches:/.test(push)
  const hasTags = /\btags:/.test(push)
  const branches = /\bbranches:\s*(\[[^\]]*\])/.exec(push)?.[1] ?? blockOf(push, /^.*\bbranches:/)
  return {
    onChange: true,
    onMain: hasBranches ? mainBranch.test(branches) : !hasTags,
    onTags: hasTags || !(hasBranches || /\bbranches-ignore:/.test(push)) || /\brelease\b/.test(on),
  }
}

/** A line and the lines below it that are indented further, or are items of its list. */
function blockOf(text: string, key: RegExp): string {
  const lines = text.split('\n')
  const at = lines.findIndex(line => key.test(line))
  if (at < 0) return ''
  const depth = indentOf(lines[at]!)
  const isInside = (line: string) =>
    indentOf(line) > depth || (indentOf(line) === depth && line.trimStart().startsWith('- '))
  const end = lines.findIndex((line, i) => i > at && !isInside(line))
  return lines.slice(at, end < 0 ? undefined : end).join('\n')
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

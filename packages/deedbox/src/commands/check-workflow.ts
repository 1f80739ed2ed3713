import { type Finding, fail, pass, passUnless, unseen, warn } from './check-findings.ts'

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
  readonly onMain: boolean
  readonly onTags: boolean
  readonly builds: boolean
  readonly testsCode: boolean
  readonly testsContainer: boolean
  readonly publishes: boolean
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
const testsContainer =
  /\b(docker|podman|nerdctl) (container )?(run|exec)\b|docker[ -]compose\b.*\b(run|exec|up)\b|container-structure-test|\bdeedbox check https?:/
const publishes =
  /\b(docker|podman|nerdctl)( image)? push\b|\bpush:\s*(true|\$\{\{)|\sbuild\b.*\s--push\b|\bbuildah push\b|--destination[ =]/

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
  return [
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
  const lacks = [
    facts.some(({ onMain }) => onMain) ? undefined : 'main',
    facts.some(({ onTags }) => onTags) ? undefined : 'tags',
  ].filter(what => what !== undefined)
  return passUnless(
    'Build 4',
    lacks.map(what =>
      fail('Build 4', `The image is not published on ${what}.`, `Let a push to ${what} publish it.`),
    ),
    'The image is published on main and on tags.',
  )
}

function factsOf({ path, text }: Workflow): WorkflowFacts {
  const commands = text.replace(/\\\n\s*/g, ' ')
  return {
    ...triggers(path, text),
    builds: builds.test(commands),
    testsCode: testsCode.test(commands),
    testsContainer: testsContainer.test(commands),
    publishes: publishes.test(commands),
  }
}

type Triggers = Pick<WorkflowFacts, 'onChange' | 'onMain' | 'onTags'>

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

const mainBranch = /\b(main|master|trunk|default)\b/

function gitHubTriggers(text: string): Triggers {
  const on = blockOf(text, /^["']?on["']?:/)
  const push = /^\s*push:/m.test(on) ? blockOf(on, /^\s*push:/) : undefined
  const byWord = /^["']?on["']?:[^\n]*\bpush\b/.test(on) || /^\s*-\s*push\s*$/m.test(on)
  if (push === undefined) {
    const onChange = byWord || /\b(pull_request|merge_group|workflow_run)\b/.test(on)
    return { onChange, onMain: byWord, onTags: byWord || /\brelease\b/.test(on) }
  }
  const hasBranches = /\bbranches:/.test(push)
  const hasTags = /\btags:/.test(push)
  return {
    onChange: true,
    onMain: hasBranches ? mainBranch.test(blockOf(push, /^.*\bbranches:/)) : !hasTags,
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

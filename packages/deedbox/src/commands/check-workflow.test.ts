import assert from 'node:assert/strict'
import { test } from 'node:test'
import { good, goodWorkflow, judged, problems } from '../testing/judged-folder.ts'

const path = '.github/workflows/image.yml'

/** The good workflow with other lines in places of it. */
function changed(...changes: readonly (readonly [string, string])[]): string {
  let text = goodWorkflow
  for (const [what, by] of changes) {
    assert(text.includes(what), what)
    text = text.replace(what, () => by)
  }
  return text
}

const branches = "push:\n    branches: [main]\n    tags: ['v*']"
const push = '- run: docker push shop'
const contained = 'docker run --detach shop'
const tagsOnly = "startsWith(github.ref, 'refs/tags/')"
const mainOnly = "github.ref == 'refs/heads/main'"

const asGood: Readonly<Record<string, string>> = {
  'a condition on pushes': changed([
    push,
    `- if: github.event_name == 'push'\n        run: docker push shop`,
  ]),
  'a condition behind its step': changed([
    push,
    `- run: docker push shop\n        if: \${{ github.event_name != 'pull_request' }}`,
  ]),
  'main and tags by conditions': changed([
    push,
    `- run: docker push shop:main\n        if: ${mainOnly}\n      - run: docker push shop:v\n        if: ${tagsOnly}`,
  ]),
  'one condition for both': changed([push, `${push}\n        if: ${mainOnly} || ${tagsOnly}`]),
  'each push': changed([branches, 'push:']),
  'in one line': changed([`on:\n  ${branches}`, "on: { push: { branches: [main], tags: ['v*'] } }"]),
  'each branch': changed(['[main]', "['**']"]),
  'a server beside it': changed([
    contained,
    'docker compose up -d postgres && true\n      - run: docker run -e A=1 --network x shop',
  ]),
  'build-push-action outside of pull requests': changed([
    push,
    `- uses: docker/build-push-action@v6\n        with:\n          push: \${{ github.event_name != 'pull_request' }}`,
  ]),
}

for (const [name, workflow] of Object.entries(asGood)) {
  test(`DF-57 workflows, as good: ${name}`, t => {
    const found = judged(t, { ...good, [path]: workflow })
    assert.deepEqual(problems(found), [])
    for (const number of [1, 2, 4])
      assert.deepEqual(found.get(`Build ${number}`), ['pass'], `Build ${number}`)
  })
}

const broken: readonly (readonly [string, string, ...string[]])[] = [
  [
    'a server is all that is started',
    changed([contained, 'docker compose up -d postgres redis']),
    'Build 2 fail',
  ],
  ['a linter is all that runs', changed([contained, 'docker run --rm -i hadolint/hadolint']), 'Build 2 fail'],
  ['never', changed([push, `- if: false\n        run: docker push shop`]), 'Build 4 fail'],
  [
    'a job that never runs',
    changed(['image:\n    steps', `image:\n    if: \${{ false }}\n    steps`]),
    'Build 1 fail',
    'Build 2 warn',
    'Build 2 fail',
    'Build 4 fail',
  ],
  ['tags by condition', changed([push, `${push}\n        if: ${tagsOnly}`]), 'Build 4 fail'],
  [
    'main by condition',
    changed([push, `- name: push\n        if: ${mainOnly}\n        run: |\n          docker push shop`]),
    'Build 4 fail',
  ],
  [
    'main alone, in one line',
    changed([`on:\n  ${branches}`, 'on: { push: { branches: [main] } }']),
    'Build 4 fail',
  ],
  [
    'a step is only called so',
    changed(
      [
        '- run: docker build --tag shop .',
        '- name: docker build, docker run and docker push are done by hand',
      ],
      [contained, 'true'],
      ['docker push shop', 'true'],
    ),
    'Build 1 fail',
    'Build 2 fail',
    'Build 4 fail',
  ],
  [
    'a secret for build-push-action',
    changed([
      push,
      `- uses: docker/build-push-action@v6\n        with:\n          push: true\n          build-args: |\n            A=1\n            NPM_TOKEN=\${{ secrets.NPM_TOKEN }}`,
    ]),
    'Build 6 fail',
  ],
]

for (const [name, workflow, ...expected] of broken) {
  test(`DF-57 workflows: ${name}: that requirement says so, and no other`, t => {
    assert.deepEqual(problems(judged(t, { ...good, [path]: workflow })).toSorted(), expected.toSorted())
  })
}

const head = `on:\n  ${branches}\njobs:\n  image:\n`
const hidden: Readonly<Record<string, string>> = {
  'a workflow of another repository': `${head}    uses: acme/ci/.github/workflows/docker.yml@v3\n`,
  make: `${head}    steps:\n      - run: make image publish\n`,
  'a script': `${head}    steps:\n      - run: |\n          npm test\n          ./scripts/image.sh\n`,
}

for (const [name, workflow] of Object.entries(hidden)) {
  test(`DF-57 what ${name} does cannot be seen from here`, t => {
    const found = judged(t, { ...good, [path]: workflow, 'version.json': '{}' })
    for (const number of [1, 2, 4]) {
      const outcomes = found.get(`Build ${number}`) ?? []
      assert(
        outcomes.includes('unseen') && !/fail|warn/.test(outcomes.join(' ')),
        `Build ${number}: ${outcomes}`,
      )
    }
  })
}

test('DF-57 a condition that says nothing of main and tags leaves open where it publishes', t => {
  for (const condition of ['inputs.publish', `!${tagsOnly}`, `\${{ vars.PUBLISH == 'yes' }}`]) {
    const workflow = changed([push, `${push}\n        if: ${condition}`])
    assert.deepEqual(judged(t, { ...good, [path]: workflow }).get('Build 4'), ['unseen', 'unseen'], condition)
  }
})

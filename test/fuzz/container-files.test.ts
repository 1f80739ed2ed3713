// What "deedbox check" reads of others: Dockerfiles, ignore lists, workflows, and what a service answers.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { judgeService, type ServiceAnswer } from '../../packages/deedbox/src/commands/check-answers.ts'
import { type Finding, findingsText } from '../../packages/deedbox/src/commands/check-findings.ts'
import { judgeFolder } from '../../packages/deedbox/src/commands/check-folder.ts'
import { readWorkflow } from '../../packages/deedbox/src/commands/check-workflow.ts'
import { root } from '../end-to-end/ledger-process.ts'
import { fuzz, requireReached } from './fuzz.ts'
import { mutateText } from './mutator.ts'

const text = (path: string): string => readFileSync(join(root, path), 'utf8')
const example = 'examples/express-service'
const dockerfiles = [
  text('Dockerfile'),
  text(`${example}/Dockerfile`),
  'FROM node:24-alpine AS a\nRUN addgroup -Sg 10001 app && adduser -SDu 10001 -G app app\nFROM a\nENTRYPOINT node\n',
  'ARG X="a\\"b"\nFROM n:$X\nENV A=\'b c\' D="e\\\\f" G\\ H\nRUN <<-"END" sh\n\tx\n\tEND\nCOPY --from=a ["b c", "/app/"]\n',
]
const ignoreLists = [text('.dockerignore'), text(`${example}/.dockerignore`), '*\n!**/a?[b-c]/\n# x\n']
const workflows = [text('.github/workflows/image.yml'), text(`${example}/.github/workflows/image.yml`)]

function eachIsOneLine(findings: readonly Finding[]): void {
  assert.equal(findingsText(findings).split('\n').length, findings.length + 3)
}

test('check: no Dockerfile, ignore list or workflow stops it, and each requirement is named', () => {
  const reached = { met: 0, failed: 0 }
  fuzz('container files', 1_500, (random, note) => {
    const dockerfile = mutateText(random, random.pick(dockerfiles), dockerfiles)
    const ignored = mutateText(random, random.pick(ignoreLists), ignoreLists)
    const workflow = mutateText(random, random.pick(workflows), workflows)
    note({ dockerfile, ignored, workflow })
    const findings = judgeFolder({
      dockerfile,
      ignored,
      names: ['Dockerfile', '.env', '.npmrc'],
      npmrc: undefined,
      workflows: [
        readWorkflow(random.pick(['.github/a.yml', '.circleci/config.yml', '.gitlab-ci.yml']), workflow),
      ],
      hasOtherSystem: false,
    })
    const named = new Set(findings.map(({ requirement }) => requirement))
    for (const number of [1, 2, 3, 4, 5])
      assert(named.has(`Dockerfile ${number}`) && named.has(`Build ${number}`))
    eachIsOneLine(findings)
    reached[findings.some(({ outcome }) => outcome === 'fail') ? 'failed' : 'met']++
  })
  requireReached(reached)
})

test('check: no answer of a service stops it', () => {
  const bodies = [
    '{"source":"https://a.example/b","version":"","commit":"c636845f","build":"https://a.example"}',
  ]
  bodies.push('{"status":"ok","checks":{"a":"ok"},"details":{}}', '[]', 'null', '{"checks":null}')
  const reached = { met: 0, failed: 0 }
  fuzz('answers of a service', 3_000, (random, note) => {
    const answer = (body: string): ServiceAnswer => ({
      status: random.pick([200, 200, 200, 204, 301, 404, 500]),
      headers: {
        'content-type': random.pick(['application/json', 'text/html']),
        'cache-control': random.pick(['', mutateText(random, 'public, max-age=31536000', ['no-store'])]),
      },
      body,
      milliseconds: random.below(3_000),
    })
    const any = () =>
      answer(random.pick([random.pick(bodies), mutateText(random, random.pick(bodies), bodies)]))
    const replies = {
      ...{ version: any(), heartbeat: any(), lbheartbeat: any(), error: any(), slash: any() },
      control: any(),
      ...{
        heads: [any(), any(), any()],
        asset: { path: '/a.js', reply: random.pick([any(), 'ECONNRESET']) },
      },
    }
    note(replies)
    const findings = judgeService(replies)
    eachIsOneLine(findings)
    reached[findings.some(({ outcome }) => outcome === 'fail') ? 'failed' : 'met']++
  })
  requireReached(reached)
})

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { endings, parts, wholeNames } from '../../packages/deedbox/src/safety/secret-names.ts'

const page = readFileSync(new URL('../../docs/guide/redaction.md', import.meta.url), 'utf8')

/** The names in the block below a sentence of the page. */
function namesBelow(sentence: string): readonly string[] {
  const at = page.indexOf(sentence)
  assert.ok(at >= 0, sentence)
  return /```\n([\s\S]*?)```/.exec(page.slice(at))?.[1]?.trim().split(/\s+/) ?? []
}

test('IF-25 the names in the guide are those of the code', () => {
  assert.deepEqual(namesBelow('Secret as the whole name:'), wholeNames)
  assert.deepEqual(namesBelow('At the end of a name'), endings)
  assert.deepEqual(namesBelow('Anywhere in a name'), parts)
})

test('IF-25 the snippet in the guide prints what stands below it', () => {
  const [, snippet = '', printed = ''] = /```ts\n([\s\S]*?)```[\s\S]*?```\n([\s\S]*?)```/.exec(page) ?? []
  const { stderr } = spawnSync(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module-typescript', '--eval', snippet],
    { cwd: import.meta.dirname, encoding: 'utf8', env: { ...process.env, LOG_LEVEL: '' } },
  )
  assert.equal(stderr.replaceAll(/"timestamp":"[^"]*",/g, ''), printed)
})

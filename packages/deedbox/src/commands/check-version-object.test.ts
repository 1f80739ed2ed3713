import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Files } from '../testing/folder-of-files.ts'
import { dockerfile, good, goodDockerfile, judged, problems, workflow } from '../testing/judged-folder.ts'

/** The good Dockerfile, with a stage before it and another line that copies the sources. */
const staged = (stage: string, copies: string): Files => ({
  Dockerfile: `FROM node:24-slim AS build\nWORKDIR /app\n${stage}\n${goodDockerfile.replace('COPY . .', copies)}`,
})

const unmade = workflow('npx deedbox version-json > version.json', 'true')

const comes: Readonly<Record<string, Files>> = {
  'with all of another stage': staged('COPY . .\nRUN npm run build', 'COPY --from=build /app /app'),
  'from another stage by its name': staged(
    'COPY . .',
    'COPY src src\nCOPY --from=build /app/version.json ./',
  ),
  'from a stage that has it from a third': staged(
    'COPY version.json .\nFROM node:24-slim AS more\nCOPY --from=0 /app /srv/x',
    'COPY --from=more /srv/x/ .',
  ),
  'from a stage that makes it': {
    ...staged(
      'RUN npx deedbox version-json > version.json',
      'COPY src src\nCOPY --from=0 /app/version.json .',
    ),
    ...unmade,
  },
  'with all files of JSON': dockerfile('COPY . .', 'COPY *.json ./\nCOPY src src'),
}

for (const [name, files] of Object.entries(comes)) {
  test(`DF-58 version.json comes into the image ${name}`, t => {
    assert.deepEqual(problems(judged(t, { ...good, ...files })), [])
  })
}

const stays: Readonly<Record<string, Files>> = {
  'no COPY takes it': { ...dockerfile('COPY . .', 'COPY src src'), 'version.json': '{}' },
  'it stays in another stage': staged('COPY . .', 'COPY --from=build /app/dist ./dist'),
  'another stage takes it from a folder without it': staged('COPY . /srv', 'COPY --from=build /app /app'),
  'nothing makes it': { ...staged('COPY . .', 'COPY --from=build /app /app'), ...unmade },
  'it is ignored on its way to another stage': {
    ...staged('COPY . .', 'COPY --from=build /app /app'),
    '.dockerignore': 'node_modules\n.git\n.env*\nversion.json',
  },
}

for (const [name, files] of Object.entries(stays)) {
  test(`DF-58 ${name}: there is no version.json in the image`, t => {
    assert.deepEqual(problems(judged(t, { ...good, ...files })), ['App 3 fail'])
  })
}

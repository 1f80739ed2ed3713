import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Outcome } from '../commands/check-findings.ts'
import { judgeFolder, readFolder } from '../commands/check-folder.ts'
import { type Files, folderOfFiles } from './folder-of-files.ts'

/** A Dockerfile that has no fault. */
export const goodDockerfile: string = `FROM node:24-slim
RUN groupadd --gid 10001 app \\
    # a comment between lines
    && useradd --uid 10001 --gid app --no-create-home app
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev
COPY . .
ENV PORT=8000
EXPOSE 8000
USER app
ENTRYPOINT ["node"]
CMD ["server.js"]
`

/** A workflow that has none. */
export const goodWorkflow: string = `name: image # with a comment
on:
  push:
    branches: [main]
    tags: ['v*']
jobs:
  image:
    steps:
      - run: npm test
      - run: npx deedbox version-json > version.json
      - run: docker build --tag shop .
      - run: docker run --detach shop
      - run: docker push shop
`

/** A folder that has none. */
export const good: Files = {
  Dockerfile: goodDockerfile,
  '.dockerignore': 'node_modules\n.git\n.env*\n',
  '.github/workflows/image.yml': goodWorkflow,
  '.env': 'A=1',
}

/** The outcomes of each requirement. */
export function judged(t: TestContext, files: Files, file?: string): Map<string, Outcome[]> {
  const found = new Map<string, Outcome[]>()
  for (const { requirement, outcome } of judgeFolder(readFolder(folderOfFiles(t, files), file))) {
    found.set(requirement, [...(found.get(requirement) ?? []), outcome])
  }
  return found
}

/** What is neither met nor unseen, as `App 4 fail`. */
export function problems(found: Map<string, Outcome[]>): string[] {
  return [...found].flatMap(([requirement, outcomes]) =>
    outcomes
      .filter(outcome => outcome === 'fail' || outcome === 'warn')
      .map(outcome => `${requirement} ${outcome}`),
  )
}

/** A place of the good Dockerfile in other words that mean as much. */
export const dockerfile = (what: string, by: string): Files => {
  assert(goodDockerfile.includes(what), what)
  return { Dockerfile: goodDockerfile.replace(what, () => by) }
}

/** Its lines that make group and user. */
export const accounts: string = goodDockerfile.slice(
  goodDockerfile.indexOf('RUN group'),
  goodDockerfile.indexOf('WORKDIR'),
)

/** The good workflow with something else in one place. */
export const workflow = (what: string, by: string): Files => {
  assert(goodWorkflow.includes(what), what)
  return { '.github/workflows/image.yml': goodWorkflow.replace(what, () => by) }
}

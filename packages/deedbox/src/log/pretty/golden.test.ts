import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { prettyLines } from '../../testing/pretty-lines.ts'
import { choosePalette, type Palette, type PrettyView, palettes, prettyObject } from './index.ts'

const folder = join(import.meta.dirname, 'golden')
const columns = 100

function paletteNamed(name: string, force: string): Palette {
  const { palette, warning } = choosePalette({ LOG_STYLE: name, FORCE_COLOR: force }, false)
  assert.equal(warning, undefined)
  assert(palette !== undefined)
  return palette
}

function shown(palette: Palette | undefined, view: PrettyView): string {
  return `${prettyLines.map(line => prettyObject(line, palette, { view, columns })).join('\n')}\n`
}

/** Compares with a file of this folder; `DEEDBOX_GOLDEN=write` writes it. */
function isGolden(name: string, text: string): void {
  const file = join(folder, name)
  if (process.env.DEEDBOX_GOLDEN === 'write') {
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, text)
  }
  assert.equal(text, readFileSync(file, 'utf8'), name)
}

for (const name of Object.keys(palettes)) {
  test(`FA-11 FA-12 FA-56 golden output of the palette ${name}`, () => {
    for (const view of ['compact', 'json'] as const) {
      const deep = shown(paletteNamed(name, '3'), view)
      const shallow = shown(paletteNamed(name, '1'), view)
      isGolden(`${name}-${view}.ansi`, deep)
      isGolden(`${name}-${view}-16.ansi`, shallow)
      for (const text of [deep, shallow]) assert.equal(stripVTControlCharacters(text), shown(undefined, view))
      assert(!shallow.includes('38;5;'))
    }
  })
}

test('FA-11 golden output without colour', () => {
  for (const view of ['compact', 'json'] as const) isGolden(`no-colour-${view}.txt`, shown(undefined, view))
})

test('FA-12 github-dark has the colours of the original', () => {
  const record = { text: 'a', number: 1, list: [true, null] }
  const tag = (code: number, text: string): string => `\x1b[38;5;${code}m${text}\x1b[39m`
  const key = (name: string): string => tag(114, `"${name}"`) + tag(255, ':') + tag(243, ' ')
  const expected = [
    tag(255, '{'),
    tag(243, '  ') + key('text') + tag(153, '"a"') + tag(255, ','),
    tag(243, '  ') + key('number') + tag(153, '1') + tag(255, ','),
    tag(243, '  ') + key('list') + tag(255, '['),
    tag(243, '    ') + tag(111, 'true') + tag(255, ','),
    tag(243, '    ') + tag(111, 'null'),
    tag(243, '  ') + tag(255, ']'),
    tag(255, '}'),
  ]
  const { palette } = choosePalette({ FORCE_COLOR: '2' }, false)
  assert.equal(prettyObject(record, palette, { view: 'json' }), expected.join('\n'))
})

test('FA-12 another palette has other colours, and all palettes have all roles', () => {
  const all = Object.keys(palettes).map(name => shown(paletteNamed(name, '3'), 'compact'))
  assert.equal(new Set(all).size, 5)
  const roles = Object.keys(palettes['github-dark']?.roles ?? {})
  for (const palette of Object.values(palettes)) assert.deepEqual(Object.keys(palette.roles), roles)
})

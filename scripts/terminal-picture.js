import { readFileSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'

// Draws what a terminal of 256 colours shows:
// node scripts/terminal-picture.js packages/deedbox/src/log/pretty/golden/github-dark-compact.ansi docs/pictures/pretty.svg

const cell = { width: 8.4, height: 20 }
const margin = 16
const foreground = '#c9d1d9'
const background = '#0d1117'

/** The picture of a text with colours (38;5;n), bold and inverse, as SVG. */
export function terminalPicture(/** @type {string} */ text) {
  const rows = text.trimEnd().split('\n')
  const columns = Math.max(...rows.map(row => row.replaceAll(/\x1b\[[\d;]*m/g, '').length))
  const width = Math.ceil(columns * cell.width + 2 * margin)
  const height = rows.length * cell.height + 2 * margin
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Log lines on a terminal">`,
    `<rect width="100%" height="100%" rx="8" fill="${background}"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14" fill="${foreground}">`,
    ...rows.map((row, at) => drawnRow(row, margin + at * cell.height + 14)),
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

/** Each stretch stands at its column, whatever font the reader has. */
function drawnRow(/** @type {string} */ row, /** @type {number} */ y) {
  let column = 0
  let style = ''
  let drawn = ''
  for (const [part, codes, text = ''] of row.matchAll(/\x1b\[([\d;]*)m|([^\x1b]+)/g)) {
    if (codes !== undefined && part.startsWith('\x1b')) {
      style = styleOf(codes)
      continue
    }
    const shown = text.trim()
    const x = (margin + (column + text.indexOf(shown)) * cell.width).toFixed(1)
    const length = (shown.length * cell.width).toFixed(1)
    if (shown !== '') drawn += `<tspan x="${x}" textLength="${length}"${style}>${escapedXml(shown)}</tspan>`
    column += text.length
  }
  return `<text y="${y}" xml:space="preserve">${drawn}</text>`
}

function styleOf(/** @type {string} */ codes) {
  const colour = /38;5;(\d+)/.exec(codes)?.[1]
  const fill = colour === undefined ? '' : ` fill="${hexOf(Number(colour))}"`
  return /^1(?:;|$)/.test(codes) ? `${fill} font-weight="bold"` : fill
}

/** A colour of the cube of 6 × 6 × 6, or of the 24 greys behind it. */
function hexOf(/** @type {number} */ colour) {
  const step = (/** @type {number} */ n) => (n === 0 ? 0 : 55 + 40 * n)
  const place = colour - 16
  const parts =
    colour >= 232
      ? Array(3).fill(8 + 10 * (colour - 232))
      : [step(Math.floor(place / 36)), step(Math.floor(place / 6) % 6), step(place % 6)]
  return `#${parts.map(part => part.toString(16).padStart(2, '0')).join('')}`
}

function escapedXml(/** @type {string} */ text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [, , source = '', target = ''] = argv
  writeFileSync(target, terminalPicture(readFileSync(source, 'utf8')))
}

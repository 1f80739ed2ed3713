/** Colours by what a line is: numbers of ANSI's "select graphic rendition". */
interface Palette {
  readonly header: string
  readonly failing: string
  readonly source: string
  readonly value: string
  readonly said: string
}

const palettes: Readonly<Record<'dark' | 'light', Palette>> = {
  dark: { header: '96', failing: '1;97', source: '37', value: '93', said: '1;91' },
  light: { header: '34', failing: '1;30', source: '90', value: '35', said: '1;31' },
}

const header = /^\s*File "/
const failing = /^\s*--> /
const numbered = /^\s{4,}\d+(?:\s|$)/
const skipped = /^\s*\(\.\.\./
const rule = /^\s*\.{50}$/
const value = /^\s{5,}/
const said = /^\s*[\p{L}_$][\w$.]*: /u

/** Colours a finished trace; the text itself stays as it is. */
export function paint(text: string, style: 'plain' | 'dark' | 'light'): string {
  if (style === 'plain') return text
  const palette = palettes[style]
  return text
    .split('\n')
    .map(line => {
      const colour = colourOf(line, palette)
      return colour === undefined || line === '' ? line : `\u001b[${colour}m${line}\u001b[0m`
    })
    .join('\n')
}

function colourOf(line: string, palette: Palette): string | undefined {
  if (header.test(line)) return palette.header
  if (failing.test(line)) return palette.failing
  if (numbered.test(line) || skipped.test(line) || rule.test(line)) return palette.source
  if (value.test(line)) return palette.value
  return said.test(line) ? palette.said : undefined
}

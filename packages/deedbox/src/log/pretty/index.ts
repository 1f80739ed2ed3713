export { choosePalette, choosePretty, isPretty, terminalOf } from './choice.ts'
export { type Palette, palettes } from './palettes.ts'
export { type PrettyOptions, type PrettyView, prettyLine, prettyObject } from './pretty-line.ts'

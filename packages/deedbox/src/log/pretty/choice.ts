import { isatty, WriteStream } from 'node:tty'
import { findVariable } from '../../safety/index.ts'
import type { LineFormat } from '../line.ts'
import type { LogSink, StandardStream } from '../sink.ts'
import { defaultPalette, type Palette, palettes, readyPalette } from './palettes.ts'
import type { PrettyOptions, PrettyView } from './pretty-line.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What was chosen, and what was wrong with the setting, for the caller to say once. */
export interface PaletteChoice {
  /** `undefined`: no colour. */
  readonly palette: Palette | undefined
  readonly warning: string | undefined
}

/** Bits of colour that a terminal must know for 256 colours, and for 16. */
const deepBits = 8
const shallowBits = 4

/**
 * Whether lines are laid out for a person: in development, on a stream of the process, terminal or not. A sink of
 * the service's own gets lines that programs read, and so does everything in testing and production, whatever
 * `log.format` says; elsewhere it decides. (FA-29, ruling 13)
 * @param env the instance's environment, in any case
 * @param format `log.format` as given
 * @param sink `log.sink` as given
 */
export function isPretty(
  env: string,
  format: string | LineFormat | undefined,
  sink: StandardStream | LogSink | undefined,
): boolean {
  const name = env.toLowerCase()
  if (name === 'production' || name === 'testing') return false
  if (format !== undefined) return format === 'pretty'
  return name === 'development' && (sink === undefined || typeof sink === 'string')
}

/**
 * The palette that `DEEDBOX_LOG_STYLE`, `LOG_STYLE` or `PYGMENTS_STYLE` names, in as many colours as the terminal
 * has. `FORCE_COLOR` decides before `NO_COLOR`, as in Node: `1`, `true` or empty are 16 colours, `2` and `3` 256,
 * anything else none, on a terminal or not. Without it, there is colour on a terminal only, and none if `NO_COLOR`
 * is not empty or `TERM` is `dumb`. (FA-12, FA-56)
 */
export function choosePalette(environment: Environment, isTerminal: boolean): PaletteChoice {
  const variable = findVariable(environment, ['DEEDBOX_LOG_STYLE', 'LOG_STYLE', 'PYGMENTS_STYLE'])
  const name = variable?.value.toLowerCase() ?? defaultPalette
  const named = Object.hasOwn(palettes, name) ? palettes[name] : undefined
  const warning =
    named === undefined
      ? `${variable?.name}: "${name.slice(0, 40)}" is no palette, so ${defaultPalette} is used. ` +
        `Use ${Object.keys(palettes).join(', ')}.`
      : undefined
  const shades = named ?? palettes[defaultPalette]
  const bits = colourBits(environment, isTerminal)
  if (shades === undefined || bits < shallowBits) return { palette: undefined, warning }
  return { palette: readyPalette(shades, bits < deepBits ? 'shallow' : 'deep'), warning }
}

function colourBits(environment: Environment, isTerminal: boolean): number {
  const { FORCE_COLOR: forced, NO_COLOR: none, ...terminal } = environment
  if (forced !== undefined) {
    if (['', '1', 'true'].includes(forced)) return shallowBits
    return forced === '2' || forced === '3' ? deepBits : 0
  }
  if (!isTerminal || (none !== undefined && none !== '')) return 0
  // Node knows the terminals; it reads nothing but the variables.
  return WriteStream.prototype.getColorDepth(terminal)
}

/** How lines are shown to a person, and what was wrong with the settings, for the caller to say once. */
export interface PrettyChoice {
  readonly options: PrettyOptions & { readonly palette: Palette | undefined }
  readonly warnings: readonly string[]
}

/** A stream, as far as its terminal goes: `process.stderr`, for example. */
export interface TerminalLike {
  readonly isTTY?: boolean
  readonly columns?: number
}

/** The terminal behind a sink. What is none is not even opened, since Node would make a pipe non-blocking for it. */
export function terminalOf(sink: StandardStream | LogSink): TerminalLike {
  if (typeof sink !== 'string' || !isatty(sink === 'stderr' ? 2 : 1)) return {}
  return process[sink]
}

/** The options for `prettyLine` from the variables, `DEEDBOX_LOG_VIEW` and `LOG_VIEW` among them, and from the terminal. */
export function choosePretty(environment: Environment, terminal: TerminalLike): PrettyChoice {
  const { palette, warning } = choosePalette(environment, terminal.isTTY === true)
  const variable = findVariable(environment, ['DEEDBOX_LOG_VIEW', 'LOG_VIEW'])
  const view = variable?.value.toLowerCase()
  const warnings = warning === undefined ? [] : [warning]
  if (view !== undefined && !isView(view))
    warnings.push(
      `${variable?.name}: "${view.slice(0, 40)}" is no view, so compact is used. Use compact, json.`,
    )
  return {
    options: {
      palette,
      view: view !== undefined && isView(view) ? view : 'compact',
      columns: () => (terminal.isTTY === true ? terminal.columns : undefined),
    },
    warnings,
  }
}

function isView(text: string): text is PrettyView {
  return text === 'compact' || text === 'json'
}

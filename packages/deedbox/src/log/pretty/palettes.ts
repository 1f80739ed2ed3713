/** What a stretch of text is, as far as its colour goes. */
export type Role =
  | 'key'
  | 'string'
  | 'number'
  | 'literal'
  | 'punctuation'
  | 'space'
  | 'message'
  | 'quiet'
  | 'trace'
  | 'debug'
  | 'info'
  | 'success'
  | 'warning'
  | 'error'
  | 'critical'
  | 'failure'

/** The parameters of the escape sequence that begins each role's colour, `38;5;114`; an empty text is no colour. */
export interface Palette {
  readonly roles: Readonly<Record<Role, string>>
  /** Colours that request ids take by turns, so that the lines of one request stand out among others. */
  readonly ids: readonly string[]
}

/** A colour of 256, what stands for it among 16 (30 to 37, 90 to 97), and an attribute (1 bold, 2 dim, 7 inverse). */
type Shade = readonly [deep?: number, shallow?: number, attribute?: number]

/** A palette as it is written down here, for each depth of colour. */
export interface PaletteShades {
  readonly roles: Readonly<Record<Role, Shade>>
  readonly ids: readonly Shade[]
}

/** The palettes by name. `github-dark` has the colours of FA-12; `plain` has none, only bold and dim. */
export const palettes: Readonly<Record<string, PaletteShades>> = {
  'github-dark': {
    roles: {
      key: [114, 32],
      string: [153, 96],
      number: [153, 96],
      literal: [111, 94],
      punctuation: [255, 37],
      space: [243, 90],
      message: [255, 97, 1],
      quiet: [246, 90],
      trace: [243, 90],
      debug: [246, 90],
      info: [111, 94],
      success: [114, 32],
      warning: [178, 33],
      error: [210, 91],
      critical: [203, 91, 7],
      failure: [210, 91],
    },
    ids: [
      [141, 95],
      [80, 36],
      [216, 33],
      [150, 92],
      [218, 35],
      [117, 96],
    ],
  },
  'github-light': {
    roles: {
      key: [28, 32],
      string: [24, 36],
      number: [25, 34],
      literal: [25, 34],
      punctuation: [235, 30],
      space: [246, 90],
      message: [235, 30, 1],
      quiet: [243, 90],
      trace: [246, 90],
      debug: [243, 90],
      info: [25, 34],
      success: [28, 32],
      warning: [94, 33],
      error: [160, 31],
      critical: [160, 31, 7],
      failure: [124, 31],
    },
    ids: [
      [91, 35],
      [30, 36],
      [130, 33],
      [64, 32],
      [162, 95],
      [26, 94],
    ],
  },
  monokai: {
    roles: {
      key: [197, 91],
      string: [186, 93],
      number: [141, 95],
      literal: [141, 95],
      punctuation: [231, 37],
      space: [242, 90],
      message: [231, 97, 1],
      quiet: [245, 90],
      trace: [242, 90],
      debug: [245, 90],
      info: [81, 96],
      success: [148, 92],
      warning: [208, 33],
      error: [197, 91],
      critical: [197, 91, 7],
      failure: [204, 91],
    },
    ids: [
      [141, 95],
      [81, 96],
      [186, 93],
      [148, 92],
      [213, 35],
      [116, 36],
    ],
  },
  'solarized-dark': {
    roles: {
      key: [33, 34],
      string: [37, 36],
      number: [37, 36],
      literal: [166, 33],
      punctuation: [246, 37],
      space: [240, 90],
      message: [254, 97, 1],
      quiet: [243, 90],
      trace: [240, 90],
      debug: [243, 90],
      info: [33, 34],
      success: [106, 32],
      warning: [136, 33],
      error: [160, 31],
      critical: [160, 31, 7],
      failure: [167, 31],
    },
    ids: [
      [61, 94],
      [37, 36],
      [136, 33],
      [64, 32],
      [125, 35],
      [33, 34],
    ],
  },
  plain: {
    roles: {
      key: [],
      string: [],
      number: [],
      literal: [],
      punctuation: [],
      space: [],
      message: [undefined, undefined, 1],
      quiet: [undefined, undefined, 2],
      trace: [undefined, undefined, 2],
      debug: [undefined, undefined, 2],
      info: [],
      success: [],
      warning: [undefined, undefined, 1],
      error: [undefined, undefined, 1],
      critical: [undefined, undefined, 7],
      failure: [],
    },
    ids: [],
  },
}

/** The palette that is used where none is named. (FA-12) */
export const defaultPalette = 'github-dark'

/**
 * A palette ready for use.
 * @param depth `deep` for terminals with 256 colours, `shallow` for those with 16
 */
export function readyPalette(shades: PaletteShades, depth: 'deep' | 'shallow'): Palette {
  const sequence = ([deep, shallow, attribute]: Shade): string => {
    const colour = depth === 'deep' ? deep && `38;5;${deep}` : shallow
    return [attribute, colour].filter(part => part !== undefined).join(';')
  }
  const roles = Object.entries(shades.roles).map(([role, shade]) => [role, sequence(shade)])
  return { roles: Object.fromEntries(roles) as Record<Role, string>, ids: shades.ids.map(sequence) }
}

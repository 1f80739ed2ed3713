/** One piece of source text. Whitespace and comments are no tokens. */
export interface Token {
  kind: 'word' | 'number' | 'string' | 'template' | 'regex' | 'mark'
  /** As written; of a template, everything between its backticks, substitutions included. */
  text: string
  /** The content of a string or template, escapes resolved, each substitution as an empty `${}`; else the text. */
  value: string
  /** Offset of the first character. */
  at: number
  /** Line of the first character, from 1. */
  line: number
  /** Whether whitespace or a comment stands before it. */
  spaced: boolean
  /** Whether it stands in a template's substitution, and so in that template's `text` too. */
  inTemplate: boolean
  /** The last doc comment between the previous token and this one. */
  doc: string | undefined
}

/** The tokens of TypeScript or JavaScript text, in order. Never throws: what it cannot read becomes marks. */
export function lex(text: string): Token[]

/** One instruction of a Dockerfile, its lines joined. */
export interface Instruction {
  /** In capitals: `FROM`, `RUN`, … */
  readonly name: string
  /** Its flags, such as `--from=build`. */
  readonly flags: readonly string[]
  /** What follows the flags, as it is written. */
  readonly text: string
  /** Its words where it is written as a JSON array (the exec form). */
  readonly json: readonly string[] | undefined
  /** The texts of its here-documents. */
  readonly documents: readonly string[]
  /** Counted from 1. */
  readonly line: number
}

/** The part of a Dockerfile from one `FROM` to the next. */
export interface Stage {
  /** The image or stage that it begins with, variables filled in. */
  readonly base: string
  /** What `AS` calls it, in lower case. */
  readonly name: string | undefined
  readonly instructions: readonly Instruction[]
}

/** A Dockerfile, as far as it can be judged by reading. */
export interface Dockerfile {
  /** `ARG` before the first `FROM`. */
  readonly arguments: readonly Instruction[]
  readonly stages: readonly Stage[]
}

/** Reads a Dockerfile; what is no instruction is passed over, as a builder would refuse it anyway. */
export function readDockerfile(text: string): Dockerfile {
  const before: Instruction[] = []
  const stages: { base: string; name: string | undefined; instructions: Instruction[] }[] = []
  const globals = new Map<string, string>()
  for (const instruction of instructionsOf(text)) {
    const stage = stages.at(-1)
    if (instruction.name === 'FROM') {
      const [base = '', as = '', name] = substitute(instruction.text, globals).split(/\s+/)
      stages.push({
        base,
        name: as.toUpperCase() === 'AS' ? name?.toLowerCase() : undefined,
        instructions: [],
      })
    } else if (stage !== undefined) {
      stage.instructions.push(instruction)
    } else if (instruction.name === 'ARG') {
      before.push(instruction)
      for (const [key, value] of assignments(instruction, globals)) globals.set(key, value ?? '')
    }
  }
  return { arguments: before, stages }
}

/** The stages that make up an image: the last one, after those of the file that it begins with. */
export function imageStages({ stages }: Dockerfile): Stage[] {
  const chain: Stage[] = []
  let at = stages.length - 1
  while (at >= 0) {
    const stage: Stage = stages[at]!
    chain.unshift(stage)
    at = stages.findLastIndex((other, i) => i < at && other.name === stage.base.toLowerCase())
  }
  return chain
}

/** Names and values of an `ARG` or `ENV`; `undefined` for an argument without a default. */
export function assignments(
  { name, text }: Instruction,
  known: ReadonlyMap<string, string> = new Map(),
): [string, string | undefined][] {
  const old = /^(\w+)\s+([^=].*)$/s.exec(text)
  if (name === 'ENV' && old !== null) return [[old[1]!, substitute(unquoted(old[2]!), known)]]
  const pairs = text.match(/\w+(?:=(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])*)?/g) ?? []
  return pairs.map(pair => {
    const at = pair.indexOf('=')
    if (at < 0) return [pair, known.get(pair)]
    return [pair.slice(0, at), substitute(unquoted(pair.slice(at + 1)), known)]
  })
}

/** Fills in `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}`; what is not known stays as it is written. */
export function substitute(text: string, known: ReadonlyMap<string, string>): string {
  return text.replace(
    /\\\$|\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})/g,
    (whole, plain?: string, braced?: string, sign?: string, other = '') => {
      const name = plain ?? braced
      if (name === undefined) return whole
      const value = known.get(name)
      if (sign === '-') return value || other
      if (sign === '+') return value ? other : ''
      return value ?? whole
    },
  )
}

function unquoted(text: string): string {
  return text.replace(
    /"((?:\\.|[^"\\])*)"|'([^']*)'/g,
    (_, double?: string, single?: string) => double ?? single ?? '',
  )
}

function* instructionsOf(text: string): Generator<Instruction> {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const escaping = escapeOf(lines)
  for (let at = 0; at < lines.length; at++) {
    if (isPassedOver(lines[at]!)) continue
    const line = at + 1
    let joined = ''
    for (; at < lines.length; at++) {
      const part = lines[at]!
      if (joined !== '' && isPassedOver(part)) continue
      const end = part.trimEnd()
      if (!end.endsWith(escaping)) {
        joined += part
        break
      }
      joined += `${end.slice(0, -1)} `
    }
    const documents: string[] = []
    for (const [, dash, , word] of heredocs(joined)) {
      const body: string[] = []
      const bare = (body: string): string => (dash === '-' ? body.replace(/^\t+/, '') : body)
      for (at++; at < lines.length && bare(lines[at]!) !== word; at++) body.push(bare(lines[at]!))
      documents.push(body.join('\n'))
    }
    const instruction = instructionOf(joined.trim(), documents, line)
    if (instruction !== undefined) yield instruction
  }
}

/** A shell's here-string (`<<<`) is none. */
function heredocs(line: string): RegExpExecArray[] {
  if (!/^\s*(RUN|COPY|ADD)\s/i.test(line)) return []
  return [...line.matchAll(/(?<!<)<<(-?)(["']?)([A-Za-z_]\w*)\2/g)]
}

function isPassedOver(line: string): boolean {
  return /^\s*(#.*)?$/.test(line)
}

/** The parser directive `# escape=` stands before all else. */
function escapeOf(lines: readonly string[]): string {
  for (const line of lines) {
    const directive = /^#\s*(\w+)\s*=\s*(\S+)\s*$/.exec(line)
    if (directive === null) break
    if (directive[1]!.toLowerCase() === 'escape') return directive[2]!
  }
  return '\\'
}

function instructionOf(joined: string, documents: string[], line: number): Instruction | undefined {
  const [, name = '', rest = ''] = /^([A-Za-z]+)\s*(.*)$/s.exec(joined) ?? []
  if (name === '') return undefined
  const flags = /^(?:--[a-z][\w-]*(?:=(?:"[^"]*"|[^\s"])*)?\s+)*/.exec(rest)?.[0] ?? ''
  const text = rest.slice(flags.length).trim()
  return {
    name: name.toUpperCase(),
    flags: flags.split(/\s+/).filter(flag => flag !== ''),
    text,
    json: jsonWords(text),
    documents,
    line,
  }
}

function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined
  try {
    const words: unknown = JSON.parse(text)
    return Array.isArray(words) && words.every(word => typeof word === 'string') ? words : undefined
  } catch {
    // A builder takes it for the shell form as well.
    return undefined
  }
}

import { posix } from 'node:path'
import {
  assignments,
  type Dockerfile,
  type Instruction,
  imageStages,
  type Stage,
  substitute,
} from './check-dockerfile.ts'

/** Files that a `COPY` or `ADD` brings. */
export interface Copy {
  /** The stage or image that they come from; `undefined` for the folder that is built. */
  readonly from: string | undefined
  /** As they are written. A here-document has none. */
  readonly sources: readonly string[]
  /** The path in the image. */
  readonly target: string
  readonly documents: readonly string[]
}

/** What an image will be, by its Dockerfile. */
export interface Image {
  /** The image that it begins with. */
  readonly base: string
  readonly environment: ReadonlyMap<string, string>
  readonly workdir: string
  /** The last `USER`. */
  readonly user: string | undefined
  readonly entrypoint: Instruction | undefined
  readonly command: Instruction | undefined
  readonly copies: readonly Copy[]
  /** What its `RUN` instructions run. */
  readonly scripts: readonly string[]
  /** Ports, without protocol. */
  readonly exposed: readonly string[]
}

/** The image of a Dockerfile's last stage; `undefined` where there is no stage. */
export function imageOf(file: Dockerfile): Image | undefined {
  const stages = imageStages(file)
  const [first] = stages
  if (first === undefined) return undefined
  const environment = new Map<string, string>()
  const copies: Copy[] = []
  const scripts: string[] = []
  const exposed: string[] = []
  let workdir = '/'
  let user: string | undefined
  let entrypoint: Instruction | undefined
  let command: Instruction | undefined
  for (const stage of stages) {
    for (const { instruction, known } of withVariables(file, stage, environment)) {
      const text = substitute(instruction.text, known)
      switch (instruction.name) {
        case 'WORKDIR':
          workdir = posix.resolve(workdir, text)
          break
        case 'USER':
          user = text
          break
        case 'ENTRYPOINT':
          // It takes away the command of the stage below, unless this one has its own.
          if (command !== undefined && !stage.instructions.includes(command)) command = undefined
          entrypoint = instruction.json?.length === 0 ? undefined : instruction
          break
        case 'CMD':
          command = instruction.json?.length === 0 ? undefined : instruction
          break
        case 'EXPOSE':
          exposed.push(...text.split(/\s+/).map(port => port.replace(/\/.*/, '')))
          break
        case 'RUN':
          scripts.push(scriptOf(instruction, known))
          break
        case 'COPY':
        case 'ADD':
          copies.push(copyOf(instruction, known, workdir))
      }
    }
  }
  return { base: first.base, environment, workdir, user, entrypoint, command, copies, scripts, exposed }
}

/** Copies and scripts of one stage in their order, for what depends on that. */
export function stepsOf(file: Dockerfile, stage: Stage): (Copy | string)[] {
  const steps: (Copy | string)[] = []
  for (const { instruction, known } of withVariables(file, stage, new Map())) {
    if (instruction.name === 'RUN') steps.push(scriptOf(instruction, known))
    if (instruction.name === 'COPY' || instruction.name === 'ADD') steps.push(copyOf(instruction, known, '/'))
  }
  return steps
}

/** The words of an `ENTRYPOINT` or `CMD`. */
export function wordsOf({ json, text }: Instruction): readonly string[] {
  return json ?? text.split(/\s+/)
}

/** Whether a `COPY` takes all of the folder that is built. */
export function isWholeFolder(source: string): boolean {
  return /^(\.|\.\/|\/|\*|\.\/\*)$/.test(source)
}

/** The instructions of a stage, each with the variables that it may use; `ENV` also goes to `environment`. */
function* withVariables(
  file: Dockerfile,
  stage: Stage,
  environment: Map<string, string>,
): Generator<{ instruction: Instruction; known: ReadonlyMap<string, string> }> {
  const globals = new Map<string, string>()
  for (const argument of file.arguments) {
    for (const [name, value] of assignments(argument, globals)) globals.set(name, value ?? '')
  }
  const known = new Map(environment)
  for (const instruction of stage.instructions) {
    if (instruction.name === 'ARG') {
      for (const [name, value] of assignments(instruction, known)) {
        const filled = value ?? globals.get(name)
        if (filled !== undefined && !environment.has(name)) known.set(name, filled)
      }
    }
    if (instruction.name === 'ENV') {
      for (const [name, value = ''] of assignments(instruction, known)) {
        environment.set(name, value)
        known.set(name, value)
      }
    }
    yield { instruction, known }
  }
}

function scriptOf({ text, json, documents }: Instruction, known: ReadonlyMap<string, string>): string {
  const scripts = documents.map(document => document.replace(/^\s*#.*$/gm, ''))
  return [substitute(json?.join(' ') ?? text, known), ...scripts].join('\n')
}

function copyOf(
  { text, json, flags, documents }: Instruction,
  known: ReadonlyMap<string, string>,
  workdir: string,
): Copy {
  const words = (json ?? text.split(/\s+/)).map(word => substitute(word, known))
  return {
    from: flags.find(flag => flag.startsWith('--from='))?.slice('--from='.length),
    sources: words.slice(0, -1).filter(word => !word.startsWith('<<')),
    target: posix.resolve(workdir, words.at(-1) ?? ''),
    documents,
  }
}

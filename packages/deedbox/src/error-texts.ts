import { formatError, type Locals, openLocals } from './errors/index.ts'
import { errorTrace, type RedactionOptions, type Redactor } from './safety/index.ts'

/** How an instance tells errors. */
export interface ErrorTexts {
  /** The text of `exception`. */
  readonly trace: (thrown: unknown) => string
  close(): Promise<void>
}

/** Characters of an annotated text: a log line cuts longer ones at their end, where the error's own message stands. */
const longest = 16_000

/** What decides how errors are told. */
export interface ErrorTextSettings {
  readonly form: 'trace' | 'annotated'
  readonly env: string
  readonly redactor: Redactor
  readonly redaction: RedactionOptions
  /** Says something about ourselves. */
  readonly notify: (text: string) => void
}

/** Variables near an error are shown in development only, and only when asked for by `DEEDBOX_LOCALS=1`. (Ruling 14) */
export function createErrorTexts(settings: ErrorTextSettings): ErrorTexts {
  const { form, redactor, env, redaction, notify } = settings
  if (form === 'trace') return { trace: errorTrace, close: async () => undefined }
  const locals: Locals | undefined = openLocals({ environment: env, redaction, notify })
  let isHintDue = locals === undefined && env === 'development'
  return {
    trace: thrown => {
      // Once is enough: it stands beneath each error else.
      const localsHint = isHintDue
      isHintDue = false
      return formatError(thrown, {
        redactor,
        maxLength: longest,
        localsHint,
        ...(locals === undefined ? {} : { locals }),
      })
    },
    close: async () => locals?.close(),
  }
}

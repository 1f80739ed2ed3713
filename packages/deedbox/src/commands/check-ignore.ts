/** A `.dockerignore`. */
export interface IgnoreList {
  /** Whether a path, relative to the folder that is built, is left out. */
  ignores(path: string): boolean
}

/** Reads a `.dockerignore`: of the patterns that fit a path or a folder above it, the last one decides. */
export function readIgnoreList(text: string): IgnoreList {
  const rules = text
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => {
      const isKept = line.startsWith('!')
      return { isKept, pattern: patternOf(isKept ? line.slice(1).trim() : line) }
    })
  return {
    ignores: path => {
      const parts = path.split('/')
      const paths = parts.map((_, i) => parts.slice(0, i + 1).join('/'))
      const last = rules.findLast(({ pattern }) => paths.some(part => pattern.test(part)))
      return last !== undefined && !last.isKept
    },
  }
}

function patternOf(glob: string): RegExp {
  const bare = glob.replace(/^(\.?\/)+/, '').replace(/\/+$/, '')
  const source = bare.replace(/\*\*\/|\*\*|\*|\?|\[[^\]]*\]|[^*?[]/g, part => {
    if (part === '**/') return '(?:.*/)?'
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    if (part === '?') return '[^/]'
    if (part.startsWith('[') && part.length > 1) return part.replaceAll('\\', '\\\\')
    return part.replace(/[$()+.^{|}\\/]/, '\\$&')
  })
  try {
    return new RegExp(`^${source}$`)
  } catch {
    // A set of characters that is none: the builder refuses the file, and nothing is left out by it.
    return /^(?!)/
  }
}

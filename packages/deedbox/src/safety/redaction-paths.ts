/** One step of the compiled redaction paths: what lies below each key, and whether the place itself is blanked. */
export interface PathNode {
  readonly below: ReadonlyMap<string, PathNode>
  readonly anyBelow: PathNode | undefined
  readonly blank: boolean
}

interface GrowingNode {
  below: Map<string, GrowingNode>
  anyBelow: GrowingNode | undefined
  blank: boolean
}

/**
 * Compiles redaction paths (`user.email`, `items[*].iban`, `headers["x-key"]`) into one tree, so that a walk over
 * a value needs one look-up per key however many paths there are.
 * @throws TypeError for a path that cannot be read
 */
export function compilePaths(paths: readonly string[]): PathNode | undefined {
  if (paths.length === 0) return undefined
  const root: GrowingNode = { below: new Map(), anyBelow: undefined, blank: false }
  for (const path of paths) {
    let node = root
    for (const step of readSteps(path)) node = grow(node, step)
    node.blank = true
  }
  return root
}

/** What lies below a place at the given key: the named branch, the wildcard branch, or both merged. */
export function stepInto(node: PathNode | undefined, key: string): PathNode | undefined {
  if (node === undefined) return undefined
  const named = node.below.get(key)
  const any = node.anyBelow
  if (named === undefined) return any
  if (any === undefined) return named
  return merge(named, any)
}

function merge(a: PathNode, b: PathNode): PathNode {
  const below = new Map(a.below)
  for (const [key, node] of b.below) {
    const known = below.get(key)
    below.set(key, known === undefined ? node : merge(known, node))
  }
  const anyBelow =
    a.anyBelow === undefined || b.anyBelow === undefined
      ? (a.anyBelow ?? b.anyBelow)
      : merge(a.anyBelow, b.anyBelow)
  return { below, anyBelow, blank: a.blank || b.blank }
}

function grow(node: GrowingNode, step: string): GrowingNode {
  const fresh = (): GrowingNode => ({ below: new Map(), anyBelow: undefined, blank: false })
  if (step === '*') {
    node.anyBelow ??= fresh()
    return node.anyBelow
  }
  const known = node.below.get(step) ?? fresh()
  node.below.set(step, known)
  return known
}

function readSteps(path: string): string[] {
  const steps: string[] = []
  const step = /\.?(?:([^.[\]"']+)|\[(?:(\d+|\*)|"([^"]*)"|'([^']*)')\])/y
  while (step.lastIndex < path.length) {
    const at = step.lastIndex
    const found = step.exec(path)
    if (found === null) {
      throw new TypeError(
        `The redaction path ${JSON.stringify(path)} cannot be read from character ${at + 1} on. ` +
          'Write it like user.email, items[*].iban or headers["x-key"].',
      )
    }
    steps.push(found[1] ?? found[2] ?? found[3] ?? found[4] ?? '')
  }
  if (steps.length === 0) throw new TypeError('A redaction path is empty. Write it like user.email.')
  return steps
}

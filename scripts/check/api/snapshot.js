// The committed form of an entry's API: text that a person reads in a review, and its comparison.

/** @typedef {import('./surface.js').Item} Item */
/** @typedef {{ kind: 'added' | 'removed' | 'changed', heading: string, lines: string[] }} Difference */

/**
 * @param {string} packageName
 * @param {string} entry such as `.` or `./node`
 * @param {Map<string, Item>} items
 * @returns {string} each heading on a line of its own, its declaration below it, indented
 */
export function formatSnapshot(packageName, entry, items) {
  const blocks = [...items].map(([heading, { text }]) => `\n${heading}\n${text.replace(/^/gm, '  ')}\n`)
  const about =
    `# What entry "${entry}" of ${packageName} exports.\n` +
    '# Written by `npm run api:update`, compared by `npm run check`.\n'
  return about + blocks.join('')
}

/**
 * @param {string} snapshot
 * @returns {Map<string, string>} declaration texts by heading
 */
export function readSnapshot(snapshot) {
  /** @type {Map<string, string>} */
  const texts = new Map()
  let heading = ''
  for (const line of snapshot.split(/\r?\n/)) {
    if (line === '' || line.startsWith('#')) continue
    if (line.startsWith('  ')) {
      const text = texts.get(heading)
      texts.set(heading, text ? `${text}\n${line.slice(2)}` : line.slice(2))
    } else {
      heading = line
      texts.set(heading, '')
    }
  }
  return texts
}

/**
 * @param {Map<string, string>} before declaration texts by heading, as committed
 * @param {Map<string, string>} after as built
 * @returns {Difference[]} sorted by heading; of a change, only the lines that differ, marked `-` and `+`
 */
export function compareTexts(before, after) {
  /** @type {Difference[]} */
  const differences = []
  for (const heading of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(heading), after.get(heading)]
    if (old === now) continue
    if (old === undefined) differences.push({ kind: 'added', heading, lines: [] })
    else if (now === undefined) differences.push({ kind: 'removed', heading, lines: [] })
    else differences.push({ kind: 'changed', heading, lines: changedLines(old.split('\n'), now.split('\n')) })
  }
  return differences
}

/** The lines outside the longest common subsequence. */
/** @param {string[]} old @param {string[]} now */
function changedLines(old, now) {
  const width = now.length + 1
  /** At i * width + j: how many lines `old` from i on and `now` from j on have in common. */
  const common = new Uint32Array((old.length + 1) * width)
  /** @param {number} i @param {number} j */
  const at = (i, j) => common[i * width + j] ?? 0
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      common[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
    }
  }
  const lines = []
  for (let i = 0, j = 0; i < old.length || j < now.length; ) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      i += 1
      j += 1
    } else if (j === now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(`- ${old[i]?.trim()}`)
      i += 1
    } else {
      lines.push(`+ ${now[j]?.trim()}`)
      j += 1
    }
  }
  return lines
}

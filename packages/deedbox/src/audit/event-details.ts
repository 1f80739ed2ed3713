import type { Change, EventDetails } from '../request/index.ts'
import { createSerializer, type Redactor, stepInto } from '../safety/index.ts'
import { cutText } from './clamp.ts'

/** What is left of meta's 16,384 bytes for details: the members of our own have at most some 3,000. */
const mostBytes = 12_000

/** The ledger's limits. */
const mostTargets = 20
const mostChanges = 50
const longestName = 1_024
const longestReason = 4_096
const longestTrail = 256

/** Levels, and UTF-16 code units of one text, of what is looked at: far more than fits. */
const limits = {
  depth: 20,
  entries: Number.POSITIVE_INFINITY,
  textLength: 20_000,
  totalLength: 1_000_000,
}

/** These are the event's own and cannot be described. */
const reserved: ReadonlySet<string> = new Set([
  'type',
  'event_name',
  'service',
  'request_id',
  'env',
  'producer',
])

const names: ReadonlySet<string> = new Set(['outcome', 'correlation_id', 'subject', 'trace_id'])
const parties: ReadonlySet<string> = new Set(['actor', 'on_behalf_of'])
const others: ReadonlySet<string> = new Set([
  'targets',
  'changes',
  'reason',
  'immutable_trail',
  'occurred_at',
])

type Members = Record<string, unknown>

/**
 * Details as members of `meta` that a ledger takes: secrets blanked, texts cut to the ledger's lengths, lists to its
 * counts, and all of it to a size that leaves room for the rest. What was cut, or could not be kept because it has not
 * the right form, is named in a member `truncated`. An automatic event must not be refused for what it is described
 * with. (IF-36)
 */
export function detailMembers(details: EventDetails, redactor: Redactor): Members {
  const truncated: string[] = []
  const members: Members = {}
  for (const [name, value] of Object.entries(details)) {
    if (value === undefined || reserved.has(name)) continue
    const given = name === 'changes' ? blankedChanges(value, redactor) : value
    const [shown, plain] = plainMember(name, given, redactor)
    const whole = withTextIds(shown, plain)
    const kept = fitted(shown, whole)
    if (kept !== undefined) members[shown] = kept
    if (sizeOf(kept) !== sizeOf(whole)) truncated.push(shown)
  }
  shrink(members, truncated)
  return truncated.length === 0 ? members : { ...members, truncated }
}

/** A member as it is when it has been JSON: its name may be that of a secret, or be one. */
function plainMember(name: string, value: unknown, redactor: Redactor): [name: string, value: unknown] {
  const { json } = createSerializer(redactor, limits).serialize({ [name]: value })
  // U+0000 is refused by the ledger.
  const [member] = Object.entries(JSON.parse(json.replaceAll('\\u0000', '\\ufffd')) as Members)
  return member ?? [name, undefined]
}

/** Ids often are numbers; the ledger knows texts. */
function withTextIds(name: string, value: unknown): unknown {
  if (name === 'targets' && Array.isArray(value)) return value.map(target => withTextIds('actor', target))
  if (names.has(name) && typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null || !(parties.has(name) && 'id' in value)) return value
  return typeof value.id === 'number' ? { ...value, id: String(value.id) } : value
}

function fitted(name: string, value: unknown): unknown {
  if (names.has(name)) return text(value, longestName)
  if (parties.has(name)) return party(value)
  switch (name) {
    case 'targets':
      return Array.isArray(value) ? parts(value.slice(0, mostTargets), party) : undefined
    case 'changes':
      return Array.isArray(value) ? parts(value.slice(0, mostChanges), changed) : undefined
    case 'reason':
      return typeof value === 'string' ? characters(value, longestReason) : undefined
    case 'immutable_trail': {
      const trail = text(value, longestTrail)?.replaceAll(':', '-').trim()
      return trail === '' ? undefined : trail
    }
    case 'occurred_at':
      return typeof value === 'string' && isInstant(value) ? value : undefined
    default:
      return value
  }
}

function parts(values: readonly unknown[], part: (value: unknown) => unknown): unknown[] {
  return values.map(part).filter(kept => kept !== undefined)
}

function party(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const id = text(Reflect.get(value, 'id'), longestName)
  if (id === undefined) return undefined
  const known = {
    type: text(Reflect.get(value, 'type'), longestName),
    name: text(Reflect.get(value, 'name'), longestName),
  }
  const kept: Members = { ...value, id }
  for (const [member, shown] of Object.entries(known)) {
    if (shown === undefined) delete kept[member]
    else kept[member] = shown
  }
  return kept
}

function changed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  const path = text(Reflect.get(value, 'path'), longestName)
  return path === undefined ? undefined : { ...value, path }
}

/** A text of 1 to so many characters. */
function text(value: unknown, most: number): string | undefined {
  return typeof value === 'string' && value !== '' ? characters(value, most) : undefined
}

/** The ledger counts characters, not halves of them. */
function characters(value: string, most: number): string {
  return value.length <= most ? value : [...value].slice(0, most).join('')
}

function isInstant(value: string): boolean {
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  )
}

/** Changes with their values blanked by each name on their path, as if they still stood there. */
export function blankedChanges(value: unknown, redactor: Redactor): unknown {
  if (!Array.isArray(value)) return value
  return value.map((change: unknown) => {
    if (typeof change !== 'object' || change === null) return change
    const { path } = change as Partial<Change>
    if (typeof path !== 'string' || !isSecretPath(path, redactor)) return change
    const blanked: Members = { ...change }
    for (const side of ['before', 'after']) if (side in blanked) blanked[side] = redactor.replacement
    return blanked
  })
}

function isSecretPath(path: string, redactor: Redactor): boolean {
  let place = redactor.paths
  for (const step of path.match(/[^.[\]"']+/g) ?? []) {
    place = stepInto(place, step)
    if (redactor.key(step).secret || place?.blank === true) return true
  }
  return false
}

/** Sheds until all fits: what the service made up before what the ledger knows, values before paths. */
function shrink(members: Members, truncated: string[]): void {
  const note = (name: string): void => {
    if (!truncated.includes(name)) truncated.push(name)
  }
  const isLarge = (): boolean => sizeOf(members) > mostBytes
  const ownMembers = Object.keys(members).filter(
    name => !(names.has(name) || parties.has(name) || others.has(name)),
  )
  for (const name of ownMembers.sort((a, b) => sizeOf(members[b]) - sizeOf(members[a]))) {
    if (!isLarge()) return
    delete members[name]
    note(name)
  }
  if (isLarge() && Array.isArray(members.changes)) {
    members.changes = members.changes.map(shortened)
    note('changes')
  }
  const shorten = (name: string, bytes: number): void => {
    const value = members[name]
    if (!isLarge() || typeof value !== 'string' || Buffer.byteLength(value) <= bytes) return
    members[name] = cutText(value, bytes)
    note(name)
  }
  shorten('reason', 2_000)
  for (const name of ['changes', 'targets']) {
    for (
      let list = members[name];
      isLarge() && Array.isArray(list) && list.length > 1;
      list = members[name]
    ) {
      members[name] = list.slice(0, Math.floor(list.length / 2))
      note(name)
    }
  }
  for (const name of ['reason', ...names]) shorten(name, 500)
  for (const name of Object.keys(members)) {
    if (!isLarge()) return
    delete members[name]
    note(name)
  }
}

/** A change whose values are texts of at most a hundred bytes. */
function shortened(change: unknown): unknown {
  const { path, before, after } = change as Members
  const short = (value: unknown): unknown =>
    sizeOf(value) > 102 ? cutText(JSON.stringify(value), 100) : value
  return { path: cutText(String(path), 200), before: short(before), after: short(after) }
}

function sizeOf(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value))
}

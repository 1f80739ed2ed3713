/** A group or a user that the build of an image makes. */
export interface Account {
  readonly name: string
  /** The user's or the group's number, as it is written. */
  readonly id: string | undefined
  /** Names or numbers of the groups that a user is in. */
  readonly groups: readonly string[]
}

/** Users and groups of an image. */
export interface Accounts {
  readonly groups: readonly Account[]
  readonly users: readonly Account[]
}

interface Call {
  readonly options: ReadonlyMap<string, string>
  readonly operands: readonly string[]
}

/** Options of these programs that take a value; BusyBox and Debian have programs of one name with different ones. */
const withValue: Readonly<Record<string, readonly string[]>> = {
  groupadd: ['g', 'gid', 'K', 'p', 'R', 'U'],
  addgroup: ['g', 'gid'],
  groupmod: ['g', 'gid', 'n', 'new-name'],
  useradd: [
    'u',
    'uid',
    'g',
    'gid',
    'G',
    'groups',
    'd',
    'home',
    'home-dir',
    's',
    'shell',
    'c',
    'comment',
  ].concat(['b', 'base-dir', 'e', 'f', 'k', 'skel', 'K', 'p', 'password', 'R', 'Z']),
  adduser: ['u', 'uid', 'g', 'gid', 'G', 'ingroup', 'h', 'home', 's', 'shell', 'gecos', 'comment', 'k'],
  usermod: ['u', 'uid', 'g', 'gid', 'G', 'groups', 'l', 'login', 'd', 'home', 's', 'shell', 'c', 'comment'],
}

/** Reads what shell commands do to users and groups: shadow's programs, BusyBox' and Debian's, and lines of passwd. */
export function readAccounts(scripts: readonly string[]): Accounts {
  const groups: Account[] = []
  const users: Account[] = []
  const renamed = new Map<string, string>()
  for (const script of scripts) {
    for (const [, name = '', uid, gid = ''] of script.matchAll(/\b([\w-]+):[x*!]?:(\d+):(\d+):/g)) {
      users.push({ name, id: uid, groups: [gid] })
    }
    for (const [, name = '', gid] of script.matchAll(/\b([\w-]+):[x*!]?:(\d+):(?!\d)/g)) {
      groups.push({ name, id: gid, groups: [] })
    }
    for (const words of commandsOf(script)) {
      const at = words.findIndex(word => Object.hasOwn(withValue, programName(word)))
      if (at >= 0) addAccount(programName(words[at]!), words.slice(at + 1), groups, users, renamed)
    }
  }
  // A group that gets another name keeps who is in it.
  const inRenamed = (user: Account) => ({
    ...user,
    groups: user.groups.map(name => renamed.get(name) ?? name),
  })
  return { groups, users: users.map(inRenamed) }
}

function addAccount(
  program: string,
  words: readonly string[],
  groups: Account[],
  users: Account[],
  renamed: Map<string, string>,
): void {
  const { options, operands } = callOf(words, withValue[program]!)
  const option = (...names: string[]) =>
    names.map(name => options.get(name)).find(value => value !== undefined)
  const name = operands[0]
  if (name === undefined) return
  if (program.includes('group')) {
    if (program === 'addgroup' && operands.length > 1) return
    const other = program === 'groupmod' ? option('n', 'new-name') : undefined
    if (other !== undefined) renamed.set(name, other)
    groups.push({ name: other ?? name, id: option('g', 'gid'), groups: [] })
    return
  }
  if (program === 'adduser' && operands.length > 1) {
    const known = users.findLast(user => user.name === name)
    if (known !== undefined) users.push({ ...known, groups: [...known.groups, operands[1]!] })
    return
  }
  const id = option('u', 'uid')
  // BusyBox' adduser calls the comment -g and the group -G.
  const primary = program === 'adduser' ? option('G', 'ingroup', 'gid') : option('g', 'gid')
  const more = program === 'adduser' ? [] : (option('G', 'groups') ?? '').split(',').filter(Boolean)
  const named = [...(primary === undefined ? [] : [primary]), ...more]
  if (program === 'usermod') {
    // What is not changed stays; a user of the base image has a group of its own name.
    const known = users.findLast(user => user.name === name) ?? { id: undefined, groups: [name] }
    const kept = primary === undefined ? known.groups : known.groups.slice(1)
    users.push({ name: option('l', 'login') ?? name, id: id ?? known.id, groups: [...named, ...kept] })
    return
  }
  const has = (...names: string[]) => names.some(name => options.has(name))
  const isAlone = program === 'adduser' ? has('S', 'system') && !has('group') : has('N', 'no-user-group')
  // Where no group is named these programs make one, of the user's name and number.
  const own = primary === undefined && !isAlone
  if (own && id !== undefined && !groups.some(group => group.name === name)) {
    groups.push({ name, id, groups: [] })
  }
  users.push({ name, id, groups: own ? [name, ...named] : named })
}

/** Options with their values, and what else there is. `-Su 10001` is `-S -u 10001`. */
function callOf(words: readonly string[], takers: readonly string[]): Call {
  const options = new Map<string, string>()
  const operands: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word.startsWith('--')) {
      const [name = '', value] = word.slice(2).split('=', 2)
      options.set(name, value ?? (takers.includes(name) ? (words[++at] ?? '') : ''))
    } else if (word.startsWith('-') && word.length > 1) {
      for (let i = 1; i < word.length; i++) {
        const letter = word[i]!
        if (!takers.includes(letter)) options.set(letter, '')
        else {
          options.set(letter, word.slice(i + 1) || (words[++at] ?? ''))
          break
        }
      }
    } else operands.push(word)
  }
  return { options, operands }
}

/** The simple commands of a script, as words without their quotes. */
export function commandsOf(script: string): string[][] {
  return script
    .replace(/\\\n/g, ' ')
    .split(/&&|\|\||[;|\n]|(?<![&>])&(?![&>])/)
    .map(command =>
      (command.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map(word => word.replace(/["']/g, '')),
    )
    .filter(words => words.length > 0)
}

function programName(word: string): string {
  return word.slice(word.lastIndexOf('/') + 1)
}

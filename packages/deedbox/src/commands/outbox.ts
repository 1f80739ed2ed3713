import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type DeadLetter, defaultSpoolFolder } from '../audit/index.ts'
import { findVariable } from '../safety/index.ts'
import { oneOf } from './one-of.ts'
import { outboxHelp } from './outbox-help.ts'
import { drop, type Replayed, replay } from './outbox-replay.ts'
import { chestTaker, ledgerTaker } from './outbox-taker.ts'
import {
  contentOf,
  groupsIn,
  isForChest,
  nameIn,
  type OutboxContent,
  type OutboxGroup,
  sameLedger,
} from './outbox-view.ts'
import { Progress } from './progress.ts'
import { UsageError } from './usage-error.ts'

const options = {
  spool: { type: 'string' },
  service: { type: 'string' },
  ledger: { type: 'string' },
  to: { type: 'string' },
  chest: { type: 'string' },
  output: { type: 'string' },
  dead: { type: 'boolean' },
  yes: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

const choosing = ['spool', 'service', 'ledger', 'output']

/** What an action may be told. Of an option that did nothing somebody would think that it chose. */
const taken: Readonly<Record<string, readonly string[]>> = {
  list: [...choosing, 'dead'],
  show: choosing,
  replay: [...choosing, 'to', 'chest'],
  drop: [...choosing, 'yes'],
}

/** `deedbox outbox`. Resolves to the exit code. @throws UsageError */
export async function outbox(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const [action, ...keys] = positionals
  if (values.help) {
    process.stdout.write(outboxHelp)
    return 0
  }
  const known = Object.hasOwn(taken, action ?? '') ? taken[action ?? ''] : undefined
  if (known === undefined)
    throw new UsageError(
      `${action === undefined ? 'Say what to do' : `"${action}" is unknown`}: list, show, replay or drop. ` +
        '"deedbox outbox --help" tells more.',
    )
  const alien = Object.keys(values).find(option => !known.includes(option))
  if (alien !== undefined) throw new UsageError(`--${alien} is no option of "deedbox outbox ${action}".`)
  const spool = spoolFolder(values.spool)
  const isJson = oneOf('--output', values.output, ['table', 'json'], 'table') === 'json'
  const groups = groupsIn(spool, values.service)
  const isMeant = ({ ledger }: OutboxGroup): boolean => sameLedger(ledger, values.ledger ?? ledger)
  const contents = await readAll(groups.filter(isMeant))
  switch (action) {
    case 'list':
      if (keys.length > 0) throw new UsageError('"list" takes no keys; "show" takes one.')
      list(contents, spool, values.dead === true, isJson)
      return 0
    case 'show':
      show(contents, keys)
      return 0
    case 'replay':
      return replayAll(
        contents,
        {
          keys: wholeKeys(contents, keys),
          to: values.to,
          chest: values.chest,
          isChosen: values.ledger !== undefined,
          others: await readAll(groups.filter(group => !isMeant(group))),
        },
        isJson,
      )
    default:
      return dropAll(contents, wholeKeys(contents, keys), values.yes === true, isJson)
  }
}

/** @throws UsageError if the folder that an option names does not exist */
function spoolFolder(option: string | undefined): string {
  const variable = findVariable(process.env, ['DEEDBOX_SPOOL'])?.value
  const folder = resolve(option ?? variable ?? defaultSpoolFolder(process.env))
  if (existsSync(folder)) return folder
  if (option !== undefined) throw new UsageError(`--spool: there is no folder ${folder}.`)
  // A service makes it for its first event, so that it is missing need not be wrong.
  if (variable !== undefined)
    process.stderr.write(`deedbox: there is no folder ${folder}, which DEEDBOX_SPOOL names.\n`)
  return folder
}

async function readAll(groups: readonly OutboxGroup[]): Promise<OutboxContent[]> {
  const progress = new Progress(process.stderr)
  const contents: OutboxContent[] = []
  for (const group of groups) {
    progress.show('ledgers read', contents.length, groups.length)
    contents.push(await contentOf(group))
  }
  progress.clear()
  return contents
}

function list(contents: readonly OutboxContent[], spool: string, isDead: boolean, isJson: boolean): void {
  if (isJson) {
    const rows = contents.map(({ service, ledger, folder, waiting, left, letters }) => ({
      service,
      ledger,
      folder,
      waiting,
      left,
      dead: letters.length,
      ...(isDead ? { letters } : {}),
    }))
    print(JSON.stringify(rows, null, 2))
    return
  }
  const full = contents.filter(({ waiting, left, letters }) => waiting + left + letters.length > 0)
  if (isDead) {
    const head = ['KEY', 'WHEN', 'SERVICE', 'EVENT', 'WHY']
    const rows = contents.flatMap(({ service, letters }) =>
      letters.map(letter => [
        letter.idempotency_key,
        letter.time,
        service,
        nameIn(letter.meta),
        reasonOf(letter),
      ]),
    )
    print(rows.length === 0 ? 'There are no dead letters.' : table([head, ...rows]))
  } else if (full.length === 0) {
    print(`Nothing waits in ${spool}, and there are no dead letters.`)
  } else {
    const head = ['SERVICE', 'LEDGER', 'WAITING', 'LEFT BEHIND', 'DEAD']
    const rows = full.map(({ service, ledger, waiting, left, letters }) => [
      service,
      ledger,
      String(waiting),
      String(left),
      String(letters.length),
    ])
    print(table([head, ...rows]))
  }
}

function show(contents: readonly OutboxContent[], keys: readonly string[]): void {
  const [key] = [...(wholeKeys(contents, keys) ?? [])]
  if (key === undefined || keys.length > 1)
    throw new UsageError('"show" takes one key; "list --dead" has them.')
  const letter = contents.flatMap(({ letters }) => letters).find(each => each.idempotency_key === key)
  print(JSON.stringify(letter, null, 2))
}

interface ReplayChoice {
  /** Those of these dead letters; all, and what was left behind, if undefined. */
  readonly keys: ReadonlySet<string> | undefined
  readonly to: string | undefined
  /** The URL of the chest that takes what was for it. */
  readonly chest: string | undefined
  /** Whether the ledger was named, so that DEEDBOX_URL has no say. */
  readonly isChosen: boolean
  /** What is for the ledgers that were not named. */
  readonly others: readonly OutboxContent[]
}

async function replayAll(
  contents: readonly OutboxContent[],
  { keys, to, chest, isChosen, others }: ReplayChoice,
  isJson: boolean,
): Promise<number> {
  if (to !== undefined && chest !== undefined)
    throw new UsageError('--to is for a ledger, --chest for a chest: give one of them.')
  const meant = contents.filter(content => isForChest(content) === (chest !== undefined))
  const notMeant = [...others, ...contents.filter(content => !meant.includes(content))]
  const full = meant.filter(({ left, letters }) =>
    keys === undefined ? left + letters.length > 0 : letters.some(letter => keys.has(letter.idempotency_key)),
  )
  if (full.length === 0) {
    print(isJson ? '[]' : `There is nothing to replay.${untouched(notMeant)}`)
    return 0
  }
  const taker = chest === undefined ? ledgerTaker(full, to, isChosen) : await chestTaker(chest, isChosen)
  const chosen = full.filter(group => taker.isFor(group))
  const progress = new Progress(process.stderr)
  const done: Replayed[] = []
  const total = keys?.size ?? chosen.reduce((sum, { left, letters }) => sum + left + letters.length, 0)
  const tell = (replayed: Replayed): void => {
    done.push(replayed)
    progress.show('events sent', done.length, total)
  }
  let tookAll = true
  try {
    for (const group of chosen) tookAll = (await replay(group, { taker, keys, tell })) && tookAll
  } finally {
    await taker.close()
  }
  progress.clear()
  if (isJson) print(JSON.stringify(done, null, 2))
  else
    printReplayed(
      done,
      taker.name,
      keys === undefined
        ? untouched([...notMeant, ...full.filter(content => !chosen.includes(content))])
        : '',
    )
  return tookAll ? 0 : 1
}

/** That there is more, for others. */
function untouched(others: readonly OutboxContent[]): string {
  const count = (contents: readonly OutboxContent[]): number =>
    contents.reduce((sum, { left, letters }) => sum + left + letters.length, 0)
  const forLedgers = count(others.filter(content => !isForChest(content)))
  const forChests = count(others.filter(isForChest))
  return (
    (forLedgers === 0 ? '' : ` ${counted(forLedgers, 'event')} for other ledgers: not touched.`) +
    (forChests === 0
      ? ''
      : ` ${counted(forChests, 'request')} for chests: not touched, "--chest <url>" names one.`)
  )
}

function printReplayed(done: readonly Replayed[], taker: string, more: string): void {
  const not = done.filter(({ outcome }) => outcome === 'refused' || outcome === 'not sent')
  if (not.length > 0) {
    print(
      table([
        ['KEY', 'EVENT', 'OUTCOME', 'WHY'],
        ...not.map(each => [each.key, each.name, each.outcome, each.why]),
      ]),
    )
  }
  const counts = (['stored', 'already there', 'refused', 'not sent'] as const)
    .map(outcome => `${done.filter(each => each.outcome === outcome).length} ${outcome}`)
    .join(', ')
  print(`Replayed to ${taker}: ${counts}.${more}`)
}

async function dropAll(
  contents: readonly OutboxContent[],
  keys: ReadonlySet<string> | undefined,
  isSure: boolean,
  isJson: boolean,
): Promise<number> {
  const full = contents.filter(({ letters }) => letters.length > 0)
  const count = keys?.size ?? full.reduce((sum, { letters }) => sum + letters.length, 0)
  if (!isSure && count > 0)
    throw new UsageError(`This would remove ${counted(count, 'dead letter')} for good: add --yes.`)
  const left = contents.reduce((sum, content) => sum + content.left, 0)
  const leftAlone =
    full.length > 0 || left === 0
      ? ''
      : ` ${counted(left, 'event')} left behind by dead processes: no dead letters, the next process or "replay" delivers them.`
  let dropped = 0
  for (const group of full) dropped += await drop(group, keys)
  print(isJson ? JSON.stringify({ dropped }) : `Removed ${counted(dropped, 'dead letter')}.${leftAlone}`)
  return 0
}

/** The whole keys of those that were cut short; `undefined` for none, which means all. @throws UsageError */
function wholeKeys(
  contents: readonly OutboxContent[],
  keys: readonly string[],
): ReadonlySet<string> | undefined {
  if (keys.length === 0) return undefined
  const known = contents.flatMap(({ letters }) => letters.map(letter => letter.idempotency_key))
  return new Set(
    keys.map(key => {
      if (known.includes(key)) return key
      const fitting = key.length < 8 ? [] : known.filter(each => each.startsWith(key))
      if (fitting.length === 1) return fitting[0]!
      if (key.length < 8)
        throw new UsageError(`"${key}" is too short: 8 characters are the least of a key that is cut short.`)
      throw new UsageError(
        fitting.length === 0
          ? `No dead letter has the key "${key}". "deedbox outbox list --dead" shows them.`
          : `"${key}" is the beginning of ${fitting.length} keys: write more of it.`,
      )
    }),
  )
}

function reasonOf({ status, reason, message }: DeadLetter): string {
  return `${status ?? ''} ${reason}: ${message}`.trim()
}

/** What a ledger said stands in it, so no cell can steer a terminal. */
function table(given: readonly (readonly string[])[]): string {
  const rows = given.map(row => row.map(cell => cell.replace(/\p{Cc}/gu, '?')))
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map(row => row[i]!.length)))
  return rows
    .map(row => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  '))
    .join('\n')
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

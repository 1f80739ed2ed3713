import type { LedgerState, LedgerWay, StoreState } from '../audit/index.ts'
import { type Check, type CheckMessage, check, error, messagesOf, warning } from '../checks/index.ts'
import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import type { Chest, ChestQueue } from '../tracking/index.ts'
import { RecentCount } from './recent-count.ts'

/** Milliseconds for which a loss is shown: long enough for who looks every few minutes. */
const recent = 600_000
/** The share of its room from which on a queue or spool is nearly full. */
const nearlyFull = 0.8
/** Milliseconds for which a ledger may be away before it is an error. */
const away = 300_000

/**
 * The parts of this package, each as a check without which the service is ready all the same: the service comes first.
 * Asked anew for each round, because chests come with the first request that is written to them. (Gap 12)
 */
export function ownChecks(box: Deedbox): () => readonly Check[] {
  const { auditor, tracker } = internalsOf(box)
  const { way } = auditor
  const fixed = [logCheck(box)]
  if (way !== undefined) fixed.unshift(outboxCheck(box, way), ledgerCheck(box, way))
  const chests = new Map<Chest, Check>()
  const nameOf = chestNames()
  return () => [
    ...fixed,
    ...tracker.queues.map(queue => {
      const known = chests.get(queue.chest)
      if (known !== undefined) return known
      const made = chestCheck(nameOf(queue.chest), queue)
      chests.set(queue.chest, made)
      return made
    }),
  ]
}

/** What is dropped, what nearly is, and what the ledger refused. */
function outboxCheck(box: Deedbox, { store, capacity }: LedgerWay): Check {
  const lost = new RecentCount(recent, 0)
  return check(
    'check_outbox',
    async () => {
      const { dropped, queued } = box.stats().audit
      const messages: CheckMessage[] = []
      const lately = lost.grewBy(dropped)
      if (lately > 0) {
        messages.push(
          error(`Audit events were dropped in the last ten minutes: ${lately}, since the start ${dropped}.`, {
            id: 'deedbox.outbox.E001',
          }),
        )
      }
      const state = await store?.state()
      const fill = state === undefined ? queued / capacity : state.fill
      return [...messages, ...fullness('audit events', 'outbox', fill), ...dead('outbox', state)]
    },
    { readiness: false },
  )
}

/** Whether the ledger takes events, as their deliveries have found. */
function ledgerCheck(box: Deedbox, { watch }: LedgerWay): Check {
  return check(
    'check_ledger',
    () => {
      const { queued, spooled, pausedUntil } = box.stats().audit
      const messages = ledgerMessages(watch.state, queued + spooled)
      if (pausedUntil === null) return messages
      const until = new Date(pausedUntil).toISOString()
      return [
        ...messages,
        warning(`The ledger's quota is used up. Nothing is sent until ${until}.`, {
          id: 'deedbox.ledger.W003',
        }),
      ]
    },
    { readiness: false },
  )
}

function ledgerMessages({ failingSince, problem, isLost }: LedgerState, waiting: number): CheckMessage[] {
  if (failingSince === null) return []
  if (isLost) {
    return [
      error(`The ledger could not be opened, and no event is stored: ${problem}`, {
        id: 'deedbox.ledger.E001',
      }),
    ]
  }
  const seconds = Math.round((Date.now() - failingSince) / 1_000)
  const text = `The ledger has taken no event for ${seconds} s, ${waiting} wait: ${problem}`
  // With nothing that waits, nobody has tried since.
  return seconds * 1_000 < away || waiting === 0
    ? [warning(text, { id: 'deedbox.ledger.W002' })]
    : [error(text, { id: 'deedbox.ledger.E002' })]
}

/** By their kinds: everybody sees the names of checks, and ids may hold a host. */
function chestNames(): (chest: Chest) => string {
  const counts = new Map<string, number>()
  return ({ id }) => {
    const name = `check_chest_${(/^[A-Za-z0-9]+/.exec(id)?.[0] ?? 'other').toLowerCase()}`
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return count === 1 ? name : `${name}_${count}`
  }
}

/** A chest by its own check, and what waits for it. */
function chestCheck(name: string, queue: ChestQueue): Check {
  const { chest, store, capacity } = queue
  const lost = new RecentCount(recent, 0)
  return check(
    name,
    async () => {
      const found = messagesOf(await chest.check())
      const { dropped, rejected, queued } = queue.stats()
      // With a spool, what the chest refused is kept.
      const lately = lost.grewBy(store === undefined ? dropped + rejected : dropped)
      if (lately > 0) {
        const text = `The variables of requests that it did not get in the last ten minutes: ${lately}.`
        found.push(error(`${chest.id} has lost entries. ${text}`, { id: 'deedbox.chest.E001' }))
      }
      const state = await store?.state()
      const fill = state === undefined ? queued / capacity : state.fill
      return [...found, ...fullness(`what waits for ${chest.id}`, 'chest', fill), ...dead('chest', state)]
    },
    { readiness: false },
  )
}

/** Log lines that no sink took. */
function logCheck(box: Deedbox): Check {
  const losses = new RecentCount(recent, 0)
  return check(
    'check_log',
    () => {
      const { lost } = box.stats().lines
      const lately = losses.grewBy(lost)
      if (lately === 0) return []
      const text = `Log lines were lost in the last ten minutes: ${lately}, since the start ${lost}.`
      return [error(text, { id: 'deedbox.log.E001' })]
    },
    { readiness: false },
  )
}

/** @param fill the share of the room that is used; `undefined` where a spool cannot be written */
function fullness(what: string, part: string, fill: number | undefined): CheckMessage[] {
  if (fill === undefined) {
    const text = `The spool for ${what} cannot be written, so it waits in memory alone.`
    return [warning(text, { id: `deedbox.${part}.W004` })]
  }
  if (fill < nearlyFull) return []
  const text = `The room for ${what} is ${Math.floor(fill * 100)} % full.`
  const hint = 'What comes when it is full is dropped.'
  return [warning(text, { id: `deedbox.${part}.W002`, hint })]
}

function dead(part: string, state: StoreState | undefined): CheckMessage[] {
  if (state === undefined || state.deadBytes === 0) return []
  const text = `What was refused for good is kept as dead letters, ${state.deadBytes} bytes of them.`
  const hint = '"deedbox outbox list --dead" shows them, replay and drop take them away.'
  return [warning(text, { id: `deedbox.${part}.W003`, hint })]
}

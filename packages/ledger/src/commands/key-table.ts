import type { ApiKeyView } from '../access/index.ts'

/**
 * Keys as a table for a terminal, times to the minute in UTC; with their ledgers, if there is more than one. What a
 * terminal could take for a command is replaced.
 */
export function keyTable(views: readonly ApiKeyView[]): string {
  const several = new Set(views.map(view => view.ledger)).size > 1
  const ledger = (name: string) => (several ? [name] : [])
  const heads = [
    'id',
    'name',
    ...ledger('ledger'),
    'principal',
    'scopes',
    'created',
    'expires',
    'last used',
    'state',
  ]
  const lines = [
    heads,
    ...views.map(view => [
      view.key_id,
      view.name,
      ...ledger(view.ledger),
      view.principal,
      view.scopes.join(','),
      minute(view.created_at),
      minute(view.expires_at) || 'never',
      minute(view.last_used_at) || '-',
      view.state === 'replaced' ? `replaced by ${view.replaced_by}` : view.state,
    ]),
  ].map(cells => cells.map(cell => cell.replace(/\p{C}/gu, '?')))
  const widths = heads.map((_, i) => Math.max(...lines.map(cells => cells[i]?.length ?? 0)))
  return lines
    .map(
      cells =>
        `${cells
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function minute(time: string | null): string {
  return time === null ? '' : `${time.slice(0, 16).replace('T', ' ')}Z`
}

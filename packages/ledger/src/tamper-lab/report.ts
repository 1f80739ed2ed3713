import type { Means } from './attack.ts'
import type { Outcome } from './detectors.ts'
import { type Experiment, isAllAsExpected, type Result } from './experiment.ts'
import { columnWidths, type Paragraph, painted, rowLines, type Style, wrap } from './table.ts'

/** Narrower than this no column holds a verdict, wider than that no sentence is read with ease. */
const widthLimits = { min: 72, max: 132 }

const proportions = [25, 33, 20, 18]
const readings: readonly Means[] = ['no_key', 'key', 'checkpoint', 'receipt', 'guard']

const names: Record<Means, string> = {
  no_key: 'verification without the key',
  key: 'verification with the key',
  checkpoint: 'the kept checkpoint',
  receipt: 'the kept receipt',
  guard: 'the guard',
  start: 'the start',
  others: "the other person's checkpoint",
}

const proved =
  'Proved: whoever has the verifier key finds each event that is not what the key signed; whoever also kept a ' +
  'checkpoint or a receipt finds each other history that was signed in its place, and each end that was cut off, as ' +
  'far as what he kept reaches.'
const notProved =
  'Not proved: that everybody is shown the same history, that times are right, that what was recorded is true, and ' +
  'that everything was recorded; the first two take witnesses and timestamps, which no Deedbox ledger has yet.'

const failed =
  'Not proved: anything. Either a detector does not do what it should, or an attack did not do what it says: until ' +
  'that is known, trust no verdict of this version.'

/** The experiment as a table for people, `width` characters wide (72 at least, 132 at most). */
export function reportText(experiment: Experiment, options: { width: number; colours: boolean }): string {
  const width = Math.min(Math.max(options.width, widthLimits.min), widthLimits.max)
  const { colours } = options
  const { lab, control, results } = experiment
  const paint = (text: string, style: Style) => (colours ? painted(text, style) : text)
  const widths = columnWidths(width, proportions)
  const rule = '─'.repeat(width)
  const lines = [
    ...wrap(
      `A ledger of ${lab.size} entries, and ${results.length} attacks, each on a fresh copy of it. Kept elsewhere: ` +
        `the verifier key, a checkpoint of ${lab.keptSizes.checkpoint} entries, a receipt that reaches to ` +
        `${lab.keptSizes.receipt}, and the rollback guard, which has all ${lab.size}. "Verification" re-reads the ` +
        'data; "the start" opens them for writing, as the server does. The untouched copy: ' +
        `${control.asExpected ? 'ok by all means' : 'NOT ok, so nothing below means anything'}.`,
      width,
    ),
    '',
    ...rowLines(
      ['attack', 'what caught it', 'what did not', 'what it takes'].map(text => [{ text, style: 'bold' }]),
      widths,
      colours,
    ),
  ]
  let by = ''
  for (const result of results) {
    if (result.attack.by !== by) lines.push(rule, paint(result.attack.by.toUpperCase(), 'bold'))
    by = result.attack.by
    lines.push('', ...rowLines(cells(result), widths, colours))
  }
  lines.push(rule, ...wrap(summary(results), width), '')
  for (const result of [control, ...results]) {
    const problems = failure(result).flatMap(text => wrap(text, width))
    lines.push(...problems.map(text => paint(text, 'red')))
  }
  const passes = isAllAsExpected(experiment)
  lines.push(...(passes ? [proved, notProved] : ['', failed]).flatMap(text => wrap(text, width)))
  return `${lines.join('\n')}\n`
}

/** The same for programs: one JSON object a line and attack, the untouched ledger first. */
export function reportJson({ control, results }: Experiment): string {
  return [control, ...results]
    .map(({ attack, outcomes, asExpected }) => {
      const { name, title, does, by, takes } = attack
      const caught = outcomes.some(outcome => outcome.noticed)
      return `${JSON.stringify({ attack: name, title, does, by, caught, asExpected, outcomes, takes })}\n`
    })
    .join('')
}

function cells({ attack, outcomes, asExpected }: Result): Paragraph[][] {
  const noticed = outcomes.filter(outcome => outcome.noticed)
  const missed = outcomes.filter(outcome => !outcome.noticed)
  const codes = [...new Set(noticed.map(({ said }) => said))]
  const caught: Paragraph[] = codes.map(code => {
    const by = phrase(
      noticed.filter(({ said }) => said === code),
      outcomes,
    )
    return { text: `${code}: ${by}`, style: 'green' }
  })
  const detail = noticed.find(({ means }) => means !== 'start')?.detail
  if (detail !== undefined) caught.push({ text: detail })
  return [
    [
      { text: asExpected ? attack.title : `! ${attack.title}`, style: asExpected ? 'bold' : 'red' },
      { text: attack.does },
    ],
    caught.length > 0 ? caught : [{ text: 'nothing', style: 'yellow' }],
    [{ text: phrase(missed, outcomes), style: 'yellow' }],
    [{ text: attack.takes }],
  ]
}

/** Some means in words, each kind of reader named once. */
function phrase(some: readonly Outcome[], all: readonly Outcome[]): string {
  const has = (means: Means) => some.some(outcome => outcome.means === means)
  const asked = readings.filter(means => all.some(outcome => outcome.means === means))
  const left = asked.filter(means => !has(means))
  const words: string[] = []
  if (asked.every(has)) words.push(asked.includes('guard') ? 'any verification' : 'any check')
  else if (left.length === 1 && left[0] === 'no_key') words.push(names.key)
  else if (has('no_key') && has('key')) words.push('verification with the key alone')
  else words.push(...(['no_key', 'key'] as const).filter(has).map(means => names[means]))
  if (left.some(means => means !== 'no_key')) {
    words.push(...(['checkpoint', 'receipt', 'guard'] as const).filter(has).map(means => names[means]))
  }
  words.push(...(['start', 'others'] as const).filter(has).map(means => names[means]))
  return words.length === 0 ? '-' : words.join(', ')
}

function summary(results: readonly Result[]): string {
  const noticedBy = (means: Means) => (result: Result) =>
    result.outcomes.some(outcome => outcome.means === means && outcome.noticed)
  const withKey = results.filter(noticedBy('key')).length
  const anybody = results.filter(({ outcomes }) => outcomes.some(outcome => outcome.noticed)).length
  return (
    `Of ${results.length} attacks, the verifier key alone shows ${withKey}; something kept, the guard or a ` +
    `comparison ${anybody - withKey} more; ${results.length - anybody} nothing shows.`
  )
}

/** A sentence for each difference; none when all is as it should be. */
function failure({ attack, outcomes }: Result): string[] {
  const asked = Object.entries(attack.expected).map(([means, said]) => ({ means: means as Means, said }))
  const silent = asked.filter(({ means }) => !outcomes.some(outcome => outcome.means === means))
  return [
    ...outcomes
      .filter(({ said, expected }) => said !== expected)
      .map(({ means, said, expected }) => ({ means, said, expected: expected ?? 'not to be asked' })),
    ...silent.map(({ means, said }) => ({ means, said: 'nothing', expected: said })),
  ].map(
    ({ means, said, expected }) =>
      `NOT AS IT SHOULD BE: "${attack.title}": ${names[means]} says ${said}; expected: ${expected}.`,
  )
}

import type { Random } from './random.ts'

/** Numbers where readers stumble: signs, leading zeros, other notations, and the edges of every width. */
export const numberEdges: readonly string[] = [
  ...[
    '',
    '0',
    '-0',
    '-1',
    '00',
    '01',
    '+1',
    ' 1',
    '1 ',
    '1.0',
    '1e3',
    '0x10',
    '1_000',
    '١',
    'NaN',
    'Infinity',
  ],
  ...['1', '2', '3', '6', '7', '8', '63', '64', '127', '128', '255', '256', '257', '65535', '65536'],
  ...['2147483647', '2147483648', '4294967295', '4294967296', '1099511627775', '1099511627776'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '9999999999999999'],
  ...['9223372036854775807', '9223372036854775808', '18446744073709551615', '18446744073709551616', '1e309'],
]

/** Texts that look like others, vanish, end lines, or are no text at all. */
const textEdges: readonly Uint8Array[] = [
  ...['\ufeff', '\u0000', '\u00a0', '\u2028', '\u0085', '\u200b', '\u202e', 'é', 'e\u0301', '😀', 'ﬃ', 'İ'],
  ...[
    '\n',
    '\n\n',
    '\r',
    '\r\n',
    '\t',
    ' ',
    '\x7f',
    '— ',
    '\\',
    '"',
    "'",
    '+',
    '=',
    '==',
    '%',
    '{',
    '}',
    '[',
    ']',
  ],
  ...['"__proto__":1,', '"constructor":{},', ',', ':', '\\u0000', '\\ud800', '\\ud83d\\ude00', '\\n', 'null'],
]
  .map(text => new Uint8Array(Buffer.from(text)))
  .concat(
    // Half of a surrogate pair, an overlong slash, bytes that no UTF-8 has, a sequence that is cut short.
    [[0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xff], [0xf8, 0x88], [0xe2, 0x80]].map(bytes =>
      Uint8Array.from(bytes),
    ),
  )

type Mutation = (random: Random, bytes: Uint8Array, others: readonly Uint8Array[]) => Uint8Array

const mutations: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  swapBytes,
  (random, bytes) => bytes.slice(0, random.below(bytes.length)),
  (random, bytes) => bytes.slice(random.below(bytes.length)),
  removeSpan,
  duplicateSpan,
  (random, bytes) => inserted(random, bytes, random.bytes(1 + random.below(8))),
  (random, bytes) => inserted(random, bytes, random.pick(textEdges)),
  (random, bytes) => inserted(random, bytes, random.pick(textEdges)),
  splice,
  onLines((random, lines) => {
    const [from, to] = [random.below(lines.length), random.below(lines.length)]
    return lines.with(from, lines[to]!).with(to, lines[from]!)
  }),
  onLines((random, lines) => lines.toSpliced(random.below(lines.length), 1)),
  onLines((random, lines) => lines.toSpliced(random.below(lines.length), 0, random.pick(lines))),
  foreignLine,
  changeNumber,
  changeNumber,
]

/**
 * A changed copy of a valid input: one to four of bit flips, cuts, repetitions, splices with other valid inputs,
 * lines swapped, dropped, doubled or taken from elsewhere, numbers replaced by their edges, strange text put in.
 * May by chance be the input itself.
 */
export function mutate(random: Random, valid: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  let bytes = valid
  const count = 1 + Math.min(random.below(5), random.below(5), 3)
  for (let i = 0; i < count; i++) bytes = random.pick(mutations)(random, bytes, others)
  return bytes
}

/** {@link mutate} for a text. Sometimes the bytes are read as UTF-16, so that halves of surrogate pairs get in. */
export function mutateText(random: Random, valid: string, others: readonly string[]): string {
  const encoded = others.map(other => Buffer.from(other))
  const bytes = Buffer.from(mutate(random, Buffer.from(valid), encoded))
  if (!random.once(8)) return bytes.toString('utf8')
  const at = random.below(valid.length + 1)
  const unit = String.fromCharCode(
    random.pick([0xd800, 0xdbff, 0xdc00, 0xdfff, 0xfffe, random.below(65_536)]),
  )
  return valid.slice(0, at) + unit + valid.slice(at + random.below(2))
}

function flipBit(random: Random, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes
  const at = random.below(bytes.length)
  return bytes.with(at, bytes[at]! ^ (1 << random.below(8)))
}

function setByte(random: Random, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes
  return bytes.with(
    random.below(bytes.length),
    random.pick([0, 0x0a, 0x20, 0x7f, 0x80, 0xff, random.below(256)]),
  )
}

function swapBytes(random: Random, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return bytes
  const [from, to] = [random.below(bytes.length), random.below(bytes.length)]
  return bytes.with(from, bytes[to]!).with(to, bytes[from]!)
}

function removeSpan(random: Random, bytes: Uint8Array): Uint8Array {
  const start = random.below(bytes.length)
  return joined(bytes.subarray(0, start), bytes.subarray(start + 1 + random.below(random.pick([2, 16, 256]))))
}

function duplicateSpan(random: Random, bytes: Uint8Array): Uint8Array {
  const start = random.below(bytes.length)
  const span = bytes.subarray(start, start + 1 + random.below(random.pick([4, 64, 512])))
  return inserted(random, bytes, joined(...Array.from({ length: 1 + random.below(3) }, () => span)))
}

function splice(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  if (others.length === 0) return bytes
  const other = random.pick(others)
  return joined(
    bytes.subarray(0, random.below(bytes.length + 1)),
    other.subarray(random.below(other.length + 1)),
  )
}

function foreignLine(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  if (others.length === 0) return bytes
  const [lines, foreign] = [linesOf(bytes), linesOf(random.pick(others))]
  return fromLines(lines.toSpliced(random.below(lines.length), random.below(2), random.pick(foreign)))
}

function changeNumber(random: Random, bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1')
  const numbers = [...text.matchAll(/\d+/g)]
  if (numbers.length === 0) return bytes
  const { index, 0: digits } = random.pick(numbers)
  const near = String(Number(digits) + random.pick([-1, 1]))
  const edge = Buffer.from(random.once(3) ? near : random.pick(numberEdges))
  return joined(bytes.subarray(0, index), edge, bytes.subarray(index + digits.length))
}

function onLines(change: (random: Random, lines: string[]) => string[]): Mutation {
  return (random, bytes) => fromLines(change(random, linesOf(bytes)))
}

function linesOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString('latin1').split('\n')
}

function fromLines(lines: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(lines.join('\n'), 'latin1'))
}

function inserted(random: Random, bytes: Uint8Array, more: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1)
  return joined(bytes.subarray(0, at), more, bytes.subarray(at))
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

import { BlockList, isIP } from 'node:net'

/**
 * Whose word about the client's address is believed.
 * - `false` (default): nobody's; the address is the socket's.
 * - `true`: everybody's; the first entry of `X-Forwarded-For`.
 * - a number n: the n nearest hops are ours; the address is the one before them.
 * - addresses, CIDR ranges and the names `loopback`, `linklocal`, `uniquelocal`: hops in these are ours; the
 *   address is the nearest one that is not.
 */
export type TrustProxy = boolean | number | string | readonly string[]

/** Who asked, as far as we believe the chain. (IF-13, FA-16, ruling 8) */
export interface ClientAddress {
  /** The believed address without a port; `unknown` when the socket had none. */
  readonly ip: string
  /** The same for the log line: with the port when it is the socket's own address. */
  readonly remote: string
  /** Every address from the first forwarding entry to the socket's; one entry when nothing was forwarded. */
  readonly chain: readonly string[]
  /** Whether the nearest hop's forwarding headers (`X-Forwarded-Proto` too) are believed. */
  readonly trusted: boolean
}

/** What an address is resolved from. */
export interface AddressSource {
  readonly address: string | undefined
  readonly port: number | undefined
  /** The `X-Forwarded-For` header as sent. */
  readonly forwardedFor: string | undefined
}

const namedRanges: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/** A header may hold anything; what is kept of one entry, and of how many entries, is bounded. */
const longestEntry = 64
const mostEntries = 32

/**
 * Builds the resolver of client addresses for one trust policy.
 * @throws RangeError for an address, range or number that cannot be one
 */
export function clientAddressResolver(trust: TrustProxy): (source: AddressSource) => ClientAddress {
  const ours = typeof trust === 'string' || typeof trust === 'object' ? rangeTest(trust) : undefined
  if (typeof trust === 'number' && !(Number.isInteger(trust) && trust >= 0)) {
    throw new RangeError(`${trust} is no number of hops: use 0, 1, 2, …`)
  }

  return source => {
    const socket = plainAddress(source.address)
    const own = socket === undefined ? 'unknown' : socket
    if (source.forwardedFor === undefined) {
      const believed = ours === undefined ? trust !== false && trust !== 0 : ours(own)
      return { ip: own, remote: withPort(own, source.port), chain: [own], trusted: believed }
    }
    const chain = [...forwardedEntries(source.forwardedFor), own]
    const at = clientIndex(chain, trust, ours)
    const ip = chain[at] ?? own
    const last = chain.length - 1
    return { ip, remote: at === last ? withPort(ip, source.port) : ip, chain, trusted: at < last }
  }
}

function clientIndex(
  chain: readonly string[],
  trust: TrustProxy,
  ours: ((address: string) => boolean) | undefined,
): number {
  const last = chain.length - 1
  if (ours !== undefined) {
    let at = last
    while (at > 0 && ours(chain[at] ?? '')) at--
    return at
  }
  if (trust === true) return 0
  return typeof trust === 'number' ? Math.max(0, last - trust) : last
}

function rangeTest(trust: string | readonly string[]): (address: string) => boolean {
  const entries = (typeof trust === 'string' ? trust.split(',') : trust).map(entry => entry.trim())
  const list = new BlockList()
  for (const entry of entries.flatMap(entry => namedRanges[entry] ?? [entry])) {
    const [address = '', bits] = entry.split('/')
    const family = isIP(address)
    const width = family === 6 ? 128 : 32
    const prefix = bits === undefined ? width : Number(bits)
    if (family === 0 || bits === '' || !(Number.isInteger(prefix) && prefix >= 0 && prefix <= width)) {
      throw new RangeError(
        `"${entry}" is no address, CIDR range, or one of ${Object.keys(namedRanges).join(', ')}`,
      )
    }
    list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4')
  }
  return address => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}

function forwardedEntries(header: string): string[] {
  return header
    .split(',')
    .slice(-mostEntries)
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
    .map(entry => plainAddress(entry) ?? (entry.length > longestEntry ? 'unknown' : entry))
}

/** An address without port, brackets, zone or the IPv4-in-IPv6 form that dual-stack sockets show. */
function plainAddress(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined
  let address = text
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address)
  if (bracketed !== null) address = bracketed[1] ?? address
  else if (/^[\d.]+:\d+$/.test(address)) address = address.slice(0, address.indexOf(':'))
  if (address.startsWith('::ffff:') && isIP(address.slice(7)) === 4) return address.slice(7)
  const zone = address.indexOf('%')
  if (zone > 0) address = address.slice(0, zone)
  return isIP(address) === 0 ? undefined : address
}

function withPort(address: string, port: number | undefined): string {
  if (port === undefined || address === 'unknown') return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

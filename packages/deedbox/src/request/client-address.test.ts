import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { clientAddressResolver, type TrustProxy } from './client-address.ts'

/** What a request from 10.0.0.9:5000 with this header resolves to. */
function resolve(trust: TrustProxy, forwardedFor?: string, address = '10.0.0.9') {
  return clientAddressResolver(trust)({ address, port: 5000, forwardedFor })
}

test("IF-13 X-07 by default the address is the socket's, whatever the header claims; the chain is kept", () => {
  assert.deepEqual(resolve(false, '1.2.3.4, 5.6.7.8'), {
    ip: '10.0.0.9',
    remote: '10.0.0.9:5000',
    chain: ['1.2.3.4', '5.6.7.8', '10.0.0.9'],
    trusted: false,
  })
  assert.deepEqual(resolve(0, '1.2.3.4').ip, '10.0.0.9')
  assert.deepEqual(resolve(false), {
    ip: '10.0.0.9',
    remote: '10.0.0.9:5000',
    chain: ['10.0.0.9'],
    trusted: false,
  })
})

test('IF-13 FA-16 who is trusted decides which entry of the chain is the client', () => {
  const cases: readonly (readonly [TrustProxy, string, string])[] = [
    [true, '1.2.3.4, 5.6.7.8', '1.2.3.4'],
    [1, '1.2.3.4, 5.6.7.8', '5.6.7.8'],
    [2, '1.2.3.4, 5.6.7.8', '1.2.3.4'],
    [9, '1.2.3.4, 5.6.7.8', '1.2.3.4'],
    ['10.0.0.0/8', '1.2.3.4, 5.6.7.8', '5.6.7.8'],
    ['10.0.0.9, 5.6.0.0/16', '1.2.3.4, 5.6.7.8', '1.2.3.4'],
    [['uniquelocal'], '1.2.3.4, 192.168.1.1', '1.2.3.4'],
    [['loopback'], '1.2.3.4', '10.0.0.9'],
    // A spoofed entry in front of a trusted address does not win.
    ['10.0.0.0/8', '10.0.0.1, 6.6.6.6, 10.0.0.2', '6.6.6.6'],
    ['10.0.0.0/8', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['10.0.0.0/8', 'unknown, 10.0.0.2', 'unknown'],
  ]
  for (const [trust, header, expected] of cases) {
    assert.equal(resolve(trust, header).ip, expected, `${trust}: ${header}`)
  }
})

test("FA-16 the port stands only where the address is the socket's", () => {
  assert.equal(resolve(true, '1.2.3.4').remote, '1.2.3.4')
  assert.equal(resolve(false, '1.2.3.4').remote, '10.0.0.9:5000')
  assert.equal(resolve(true, ' , ').remote, '10.0.0.9:5000')
  assert.equal(resolve(false, undefined, '2001:db8::1').remote, '[2001:db8::1]:5000')
  assert.equal(resolve(false, undefined, '').remote, 'unknown')
  assert.equal(resolve(false, undefined, '::ffff:127.0.0.1').remote, '127.0.0.1:5000')
})

test('IF-13 addresses are read with port, brackets, zone and mapped form', () => {
  const cases = {
    '1.2.3.4:80': '1.2.3.4',
    '[2001:db8::1]:443': '2001:db8::1',
    '[2001:db8::1]': '2001:db8::1',
    'fe80::1%eth0': 'fe80::1',
    '::ffff:1.2.3.4': '1.2.3.4',
    '  1.2.3.4  ': '1.2.3.4',
    unknown: 'unknown',
    _hidden: '_hidden',
  }
  for (const [entry, expected] of Object.entries(cases)) assert.equal(resolve(true, entry).ip, expected)
  assert.equal(resolve('::ffff:10.0.0.9/128'.slice(7, 15), '1.2.3.4', '::ffff:10.0.0.9').ip, '1.2.3.4')
})

test('IF-13 a header of any length is bounded, from its far end', () => {
  const flood = Array.from({ length: 10_000 }, (_, i) => `1.1.${i >> 8}.${i & 255}`).join(',')
  const { chain, ip } = resolve(1, flood)
  assert.equal(chain.length, 33)
  assert.equal(ip, '1.1.39.15')
  assert.equal(resolve(true, 'x'.repeat(10_000)).ip, 'unknown')
})

test('IF-13 whatever the header holds, an answer comes and its parts agree', () => {
  const policies = fc.constantFrom<TrustProxy>(false, true, 0, 1, 3, 'loopback', ['10.0.0.0/8', '::1'])
  const entry = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.string(),
    fc.ipV4().map(ip => `${ip}:1`),
  )
  fc.assert(
    fc.property(policies, fc.array(entry), (trust, entries) => {
      const { ip, chain, trusted } = resolve(trust, entries.join(','))
      assert.equal(chain.at(-1), '10.0.0.9')
      assert.ok(chain.includes(ip))
      if (trust === false || trust === 0) assert.equal(ip, '10.0.0.9')
      if (ip !== '10.0.0.9') assert.equal(trusted, true)
    }),
  )
})

test('IF-13 a policy that cannot be one says what is wrong', () => {
  for (const trust of [-1, 1.5, Number.NaN]) {
    assert.throws(() => clientAddressResolver(trust), /is no number of hops: use 0, 1, 2/)
  }
  for (const trust of ['nginx', '10.0.0.0/33', '10.0.0.0/', '10.0.0', '::1/129', '', '1.2.3.4,']) {
    assert.throws(() => clientAddressResolver(trust), /is no address, CIDR range, or one of loopback/, trust)
  }
})

import { generateKeyPairSync, sign } from 'node:crypto'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Identity } from './server-kind.ts'

/** A certificate that nobody vouches for but itself, and its key. */
export interface SelfSigned {
  /** PEM. */
  readonly cert: string
  readonly key: string
  /** The same in files. */
  readonly certFile: string
  readonly keyFile: string
}

/**
 * Makes a self-signed certificate for `localhost`, `127.0.0.1` and `::1`. It is made in code, so that no program is needed.
 * @param place the folder that gets the files, or the test that gets a folder which goes with it
 * @param owner who is to read the files beside root; default: whoever runs the tests
 */
export function selfSigned(place: TestContext | string, owner?: Identity): SelfSigned {
  const folder = typeof place === 'string' ? place : folderOf(place, owner)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signed = tbsCertificate(publicKey.export({ type: 'spki', format: 'der' }))
  const signature = sign('sha256', signed, privateKey)
  const certificate = der(0x30, signed, ecdsaWithSha256, der(0x03, Buffer.of(0), signature))
  const cert = pem('CERTIFICATE', certificate)
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const [certFile, keyFile] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  writeFileSync(certFile, cert, { mode: 0o644 })
  writeFileSync(keyFile, key, { mode: 0o600 })
  if (owner !== undefined) for (const file of [certFile, keyFile]) chownSync(file, owner.uid, owner.gid)
  return { cert, key, certFile, keyFile }
}

function folderOf(t: TestContext, owner: Identity | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-certificate-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
  return folder
}

const day = 86_400_000
const ecdsaWithSha256 = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex'))

/** The part of a certificate that is signed. (RFC 5280 §4.1) */
function tbsCertificate(publicKey: Buffer): Buffer {
  const name = der(
    0x30,
    der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('localhost')))),
  )
  const now = Date.now()
  const isAuthority = der(
    0x30,
    Buffer.from('0603551d130101ff', 'hex'),
    der(0x04, der(0x30, Buffer.from('0101ff', 'hex'))),
  )
  const names = der(
    0x30,
    der(0x82, Buffer.from('localhost')),
    der(0x87, Buffer.of(127, 0, 0, 1)),
    der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.of(1)])),
  )
  const alternativeNames = der(0x30, Buffer.from('0603551d11', 'hex'), der(0x04, names))
  return der(
    0x30,
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1)),
    ecdsaWithSha256,
    name,
    der(0x30, time(now - day), time(now + 30 * day)),
    name,
    publicKey,
    der(0xa3, der(0x30, isAuthority, alternativeNames)),
  )
}

function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/\D/g, '')
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`))
}

/** One value of the Distinguished Encoding Rules (X.690), of less than 64 KiB. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const lengthBytes =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...lengthBytes), content])
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}

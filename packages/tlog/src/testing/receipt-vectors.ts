// A worked event: its four parts with fixed salts, the leaf that commits to them, and its receipt as leaf 2
// of a log of seven whose other leaves are those of vectors.ts. All of it was computed by a separate program,
// in Python, from the description of the formats alone.

import type { Part } from '../commitment.ts'
import { countingBytes } from './vectors.ts'

/** The parts of the sample event. The salts count up from 0x00, 0x20, 0x40 and 0x60. */
export const sampleParts: Readonly<Record<Part, { salt: Uint8Array; content: string; commitment: string }>> =
  {
    core: {
      salt: countingBytes(0x00),
      content: '{"env":"production","event_name":"document.delete","service":"documents","type":"info"}',
      commitment: '0hg7lXzhqg8D82WLtg6l4Bvxc8n5rMhPoL3s4o8g02c',
    },
    context: {
      salt: countingBytes(0x20),
      content: '{"actor":{"id":"user:42"},"targets":[{"id":"doc:9"}]}',
      commitment: 'AAHpm9zBoEPTZJgJzXqp37znfA74OTabDt7DmkQgM0A',
    },
    payload: {
      salt: countingBytes(0x40),
      content: '{"email":"ada@example.com","note":"naïve €"}',
      commitment: 'ol5f2AeMUXSo-OzeylMp0kMSQSgRj2vzVVqAdpd5Sss',
    },
    server: {
      salt: countingBytes(0x60),
      content: '{"principal":"key:1","request_id":"r-1"}',
      commitment: 'Zto5GQ4I0FoQGAf01fZNM2VyrUCrPkrGSGWGvb1pxXY',
    },
  }

export const sampleTxId = '01J9ZK3V6Q8M4T2R0X7Y5W1ABC'

/** The leaf of the sample event, in the ledger of vectors.ts, and its hash in the tree. */
export const sampleLeaf: string =
  '{"at":"2026-01-02T03:04:05.678Z","context":"AAHpm9zBoEPTZJgJzXqp37znfA74OTabDt7DmkQgM0A",' +
  '"core":"0hg7lXzhqg8D82WLtg6l4Bvxc8n5rMhPoL3s4o8g02c","kind":"event",' +
  '"ledger":"ledger.example/acme","payload":"ol5f2AeMUXSo-OzeylMp0kMSQSgRj2vzVVqAdpd5Sss",' +
  '"server":"Zto5GQ4I0FoQGAf01fZNM2VyrUCrPkrGSGWGvb1pxXY","tx_id":"01J9ZK3V6Q8M4T2R0X7Y5W1ABC","v":1}'
export const sampleLeafHash = '5c7319e5fa70186329ba203acb0c14daf5e9859b5668039028ae25058da2aa31'

/** The receipt of the sample event, as leaf 2 of the log of event-0 … event-6, nothing disclosed. */
export const bareReceipt: string = [
  'c2sp.org/tlog-proof@v1',
  'extra eyJkaXNjbG9zZWQiOnt9LCJsZWFmIjoiZXlKaGRDSTZJakl3TWpZdE1ERXRNREpVTURNNk1EUTZNRFV1TmpjNFdpSXNJbU52' +
    'Ym5SbGVIUWlPaUpCUVVod2JUbDZRbTlGVUZSYVNtZEtlbGh4Y0RNM2VtNW1RVGMwVDFSaFlrUjBOMFJ0YTFGblRUQkJJaXdp' +
    'WTI5eVpTSTZJakJvWnpkc1dIcG9jV2M0UkRneVYweDBaelpzTkVKMmVHTTRialZ5VFdoUWIwd3pjelJ2T0djd01tTWlMQ0py' +
    'YVc1a0lqb2laWFpsYm5RaUxDSnNaV1JuWlhJaU9pSnNaV1JuWlhJdVpYaGhiWEJzWlM5aFkyMWxJaXdpY0dGNWJHOWhaQ0k2' +
    'SW05c05XWXlRV1ZOVlZoVGJ5MVBlbVY1YkUxd01HdE5VMUZUWjFKcU1uWjZWbFp4UVdSd1pEVlRjM01pTENKelpYSjJaWElp' +
    'T2lKYWRHODFSMUUwU1RCR2IxRkhRV1l3TVdaYVRrMHlWbmx5VlVOeVVHdHlSMU5IVjBkMllqRndlRmhaSWl3aWRIaGZhV1Fp' +
    'T2lJd01VbzVXa3N6VmpaUk9FMDBWREpTTUZnM1dUVlhNVUZDUXlJc0luWWlPakY5IiwidiI6MSwidmtleSI6ImxlZGdlci5l' +
    'eGFtcGxlL2FjbWUrZjFkOGUxNTErQVFPaEI3L3p6aEMrSFhEZEdPZEx3SmxuNU5Zd202VU5YeDNjaG1RU1ZURzQifQ==',
  'index 2',
  'Xz5pjPk3YirKfGvyc+8hdgkuwzwWLcyuOd+HAWJdGJ8=',
  'P9HVoFmrFxo0X5kSyDwt2LeTO06VDmdJvIPbsfQ8y94=',
  'CdE923ZptzRMGk5/zSfZNnUk1MxvmDHjZ9hsED0563g=',
  '',
  'ledger.example/acme',
  '7',
  'iaeUeoVH2jY9HC1rFIRAVjfUnMV1EsGzYYwUTYiP3Tk=',
  '',
  '— ledger.example/acme 8djhUTWnswZpkxEGhkSoiLFY1D500BOBAES+uqXWD64hDH4uHV5TFZT5NhTsIDVLcfr8S4hJtstayejorWNyyIFPHg0=',
  '',
].join('\n')

/** The extra line of the receipt that discloses payload and core, before base64; and that file's SHA-256. */
export const disclosingExtra: string =
  '{"disclosed":{"core":{"content":"eyJlbnYiOiJwcm9kdWN0aW9uIiwiZXZlbnRfbmFtZSI6ImRvY3VtZW50LmRlbGV0ZSI' +
  'sInNlcnZpY2UiOiJkb2N1bWVudHMiLCJ0eXBlIjoiaW5mbyJ9",' +
  '"salt":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},' +
  '"payload":{"content":"eyJlbWFpbCI6ImFkYUBleGFtcGxlLmNvbSIsIm5vdGUiOiJuYcOvdmUg4oKsIn0=",' +
  '"salt":"QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="}},' +
  '"leaf":"' +
  Buffer.from(sampleLeaf).toString('base64') +
  '","v":1,"vkey":"ledger.example/acme+f1d8e151+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"}'
export const disclosingReceiptHash = '390bcf79cd02c10820ef129a6c5a4f0411eefec8c232853d1d8139d95193dace'

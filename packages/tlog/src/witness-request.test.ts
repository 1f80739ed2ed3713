import assert from 'node:assert/strict'
import {
  encodeBase64,
  encodeHex,
  encodeUtf8,
  leafHash,
  proveConsistency,
  tileSubtreeReader,
} from './index.ts'
import { RightEdge } from './right-edge.ts'
import { testWithBoth } from './testing/both-cryptos.ts'
import { log, logNote } from './testing/vectors.ts'

// C2SP tlog-witness: what a log sends to be cosigned, and where what was cosigned is found. Made here of the parts
// that this package has; the conversation with a witness is not its business.

testWithBoth(
  'tlog-witness the worked add-checkpoint request is made of our own proof and checkpoint',
  crypto => {
    const tree = RightEdge.empty(crypto.sha256)
    for (let i = 0; i < 7; i++) tree.append(leafHash(crypto.sha256, encodeUtf8(`event-${i}`)))
    const [tile] = tree.takeChangedTiles()
    const read = tileSubtreeReader(crypto.sha256, () => tile?.hashes ?? new Uint8Array(), 7)
    const proof = proveConsistency(crypto.sha256, 3, 7, read).map(encodeBase64)
    const request = `old 3\n${proof.join('\n')}\n\n${logNote}`
    assert.equal(
      request,
      `old 3
T7cNqgptqvfpPys3xeXfczRmMP2KUZltUPHY7v8nlCY=
Xz5pjPk3YirKfGvyc+8hdgkuwzwWLcyuOd+HAWJdGJ8=
P9HVoFmrFxo0X5kSyDwt2LeTO06VDmdJvIPbsfQ8y94=
CdE923ZptzRMGk5/zSfZNnUk1MxvmDHjZ9hsED0563g=

ledger.example/acme
7
gTvaOkIAD4KUtqlU6oN5LC3vrmUkbvdgr5/dU699Rjg=

— ledger.example/acme 8djhUb1QLKX3Kk8aGkxrhLRvaMY5bgxlKS+x9bLR9r7Lv2JdXYYw98Cv08i19e1ghcwj0/4ogefDSIbvxHrH4+kjdAw=
`,
    )
  },
)

testWithBoth('tlog-witness the hash of the worked origin', crypto => {
  assert.equal(
    encodeHex(crypto.sha256(encodeUtf8(log.origin))),
    'ab6f0004825aef71a7861359a1404641f8ccb712fb4b37f1734854654b93466a',
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRedactor } from './redaction.ts'

const redactor = createRedactor()

/** What stays of a key, what goes, by issuer. Put together here, so that no scanner takes this file for a leak. */
const issued: readonly (readonly [string, string])[] = [
  ['deed_', 'live_Zk3vN8qLw2RtY6uB1xCm'],
  ['iml_live_', '9f8e7d6c5b4a39281706'],
  ['iml_test_', '9f8e7d6c5b4a39281706'],
  ['AKIA', 'IOSFODNN7EXAMPLE'],
  ['ASIA', 'IOSFODNNSEXAMPLE'],
  ['AIza', 'SyA1234567890abcdefghijklmnopqrstuv'],
  ['ya29.', 'a0AfH6SMBabcdEFGH1234567890'],
  ['1//0', 'gabcdEFGH1234567890abcdEFGH'],
  ['GOCSPX-', 'abcdEFGH1234567890abcd'],
  ['ghp_', '16C7e42F292c6912E7710c838347Ae178B4a'],
  ['ghs_', '16C7e42F292c6912E7710c838347Ae178B4a'],
  ['github_pat_', '11ABCDEFG0123456789_abcdefghij'],
  ['glpat-', 'Zx9y8W7v6U5t4S3r2Q1p'],
  ['glrt-', 'Zx9y8W7v6U5t4S3r2Q1p'],
  ['npm_', 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'],
  ['pypi-', 'AgEIcHlwaS5vcmcCJDAwMDAwMDAw'],
  ['xoxb-', '123456789012-abcdefABCDEF'],
  ['xoxe.xoxp-', '1-Mi0yLTEyMzQ1Njc4OTAxMg'],
  ['xapp-', '1-A0123456789-0123456789-abcdef'],
  ['hooks.slack.com/services/', 'T0001/B0001/XyZabcdEFGH1234567890ijk'],
  ['discord.com/api/webhooks/123456789012345678/', 'XyZabcdEFGH1234567890ijk-_'],
  ['110201543:', 'AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw8'],
  ['sk_live_', '4eC39HqLyjWDarjtT1zdp7dc'],
  ['rk_test_', '4eC39HqLyjWDarjtT1zdp7dc'],
  ['whsec_', 'C2FVsBQIhrscChlQIMV2bSY2kT3Bdl7Y'],
  ['sq0atp-', 'abcdEFGH1234567890abcd'],
  ['shpat_', '0123456789abcdef0123456789abcdef'],
  ['SG.', 'abcdEFGH1234567890ijkl.MNOPqrst1234567890abcdEFGHijklMNOPqrst12345'],
  ['sk-', 'proj-T3BlbkFJabcdEFGH1234567890ijklMNOP'],
  ['sk-', 'ant-api03-abcdEFGH1234567890ijklMNOPqrst'],
  ['hf_', 'abcdEFGHijklMNOPqrstUVWXyzabcdEFGH'],
  ['dop_v1_', '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'],
  ['lin_api_', 'abcdEFGH1234567890abcdEFGH1234567890abcd'],
  ['PMAK-', '0123456789abcdef01234567-0123456789abcdef0123456789abcdef01'],
  ['sntrys_', 'eyJpYXQiOjE2ODczMzY1NDMuNjk4NTksInVybCI6bnVsbH0'],
  ['AGE-SECRET-KEY-', '1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGP'],
]

test('IF-25 a key of each issuer that the guide names goes, whatever is around it, and the issuer stays', () => {
  for (const [issuer, secret] of issued) {
    const around = ['', ' ', '"', '\\n', '=', '/', '(', '_', ':', ',']
    for (const before of around) {
      const shown = redactor.text(`sent ${before}${issuer}${secret}`)
      assert.ok(!shown.includes(secret.slice(0, 12)), shown)
      assert.ok(shown.includes('[redacted]'), shown)
    }
    assert.equal(redactor.text(`sent ${issuer}${secret}, once`), `sent ${issuer}[redacted], once`)
    assert.equal(redactor.text(`sent ${issuer} alone`), `sent ${issuer} alone`)
  }
})

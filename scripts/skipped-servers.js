// Says which servers the tests before did without, and why. Argument: the file that test/servers appended them to.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'

const [file = ''] = process.argv.slice(2)
const skipped = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
rmSync(dirname(file), { recursive: true, force: true })
if (skipped.length > 0) console.log(`skipped: ${[...new Set(skipped)].join('; ')}`)

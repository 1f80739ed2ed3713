// Says which servers the tests before did without, and why. Argument: the file that test/servers appended them to.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'

const [file = ''] = process.argv.slice(2)
const skipped = new Set(existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [])
rmSync(dirname(file), { recursive: true, force: true })
if (skipped.size > 0) console.log(`skipped servers (${skipped.size}): ${[...skipped].join('; ')}`)

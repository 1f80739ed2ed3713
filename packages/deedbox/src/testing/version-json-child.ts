import { main } from '../commands/main.ts'

process.exitCode = await main(['version-json', ...process.argv.slice(2)])

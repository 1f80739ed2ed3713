import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { promisify } from 'node:util'

// A disk that fails or dawdles on command. Real ones do so too seldom, and root, as whom tests may run, is refused nothing.
// To be imported before what it is to act on.

/** What fails from now on. */
export const faults: {
  /** While it is set, asynchronous writes wait for it. */
  hold: Promise<void> | undefined
  /** Asynchronous writes that waited so far. */
  held: number
  isFull: boolean
  /** How many times opening a file of events for reading fails. */
  unreadable: number
  /** How many times a producer's folder cannot be made. */
  unmakeable: number
  /** How many times the file that names an owner cannot be read. */
  ownerless: number
  /** Whether nothing can be removed. */
  isSticky: boolean
  /** Called before anything is removed at once. */
  onRemoval: (() => void) | undefined
} = {
  hold: undefined,
  held: 0,
  isFull: false,
  unreadable: 0,
  unmakeable: 0,
  ownerless: 0,
  isSticky: false,
  onRemoval: undefined,
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: made by the test`), { code })
}

const real = {
  write: promisify(fs.write),
  writeSync: fs.writeSync,
  open: fs.promises.open,
  mkdirSync: fs.mkdirSync,
  readFileSync: fs.readFileSync,
  rmSync: fs.rmSync,
  rmdirSync: fs.rmdirSync,
  unlinkSync: fs.unlinkSync,
}

async function write(...args: Parameters<typeof real.write>): ReturnType<typeof real.write> {
  if (faults.hold !== undefined) {
    faults.held++
    await faults.hold
  }
  if (faults.isFull) throw failure('ENOSPC')
  return real.write(...args)
}

/** Puts a function in the place of one of the system's. */
function replace(target: object, name: string, by: (...args: never[]) => unknown): void {
  Reflect.set(target, name, by)
}

const callbackWrite = (): never => {
  throw new Error('only the promise of it is used')
}
Reflect.set(callbackWrite, promisify.custom, write)
replace(fs, 'write', callbackWrite)
replace(fs, 'writeSync', (...args: Parameters<typeof fs.writeSync>) => {
  const bytes: unknown = args[1]
  // The eight bytes of the highest number have their place.
  if (faults.isFull && Buffer.isBuffer(bytes) && bytes.length > 8) throw failure('ENOSPC')
  return real.writeSync(...args)
})
replace(fs.promises, 'open', async (...args: Parameters<typeof fs.promises.open>) => {
  if (faults.unreadable > 0 && String(args[0]).endsWith('.events')) {
    faults.unreadable--
    throw failure('EMFILE')
  }
  return real.open(...args)
})
replace(fs, 'mkdirSync', (...args: Parameters<typeof fs.mkdirSync>) => {
  if (faults.unmakeable > 0 && String(args[0]).endsWith('.new')) {
    faults.unmakeable--
    throw failure('ENOSPC')
  }
  return real.mkdirSync(...args)
})
replace(fs, 'readFileSync', (...args: Parameters<typeof fs.readFileSync>) => {
  if (faults.ownerless > 0 && String(args[0]).endsWith('owner.json')) {
    faults.ownerless--
    throw failure('EMFILE')
  }
  return real.readFileSync(...args)
})
for (const name of ['rmSync', 'rmdirSync', 'unlinkSync'] as const) {
  replace(fs, name, (...args: never[]) => {
    if (faults.isSticky) throw failure('EROFS')
    faults.onRemoval?.()
    return Reflect.apply(real[name], fs, args)
  })
}
syncBuiltinESMExports()

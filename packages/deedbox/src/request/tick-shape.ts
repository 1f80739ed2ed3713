import { executionAsyncResource } from 'node:async_hooks'

let held: object | undefined

/**
 * Keeps one of the objects alive that Node's `process.nextTick` makes. V8 forgets the shape of objects once a full
 * collection finds none alive, and from then on builds each of these by slow calls: in Node 24 one `nextTick` was
 * measured to take 0.4–0.9 µs instead of 0.06–0.1, for the rest of the process, and a request needs five to eight.
 * Call it early: what V8 has forgotten already does not come back.
 */
export function keepTickShape(): void {
  if (held !== undefined) return
  process.nextTick(() => {
    held = executionAsyncResource()
  })
}

/** What is kept alive. */
export function heldTick(): object | undefined {
  return held
}

import { parentPort } from 'node:worker_threads'

let counter = 0

function spin(rounds: number): void {
  for (let round = 0; round < rounds; round++) counter = (counter + round) % 1_000_003
}

/** Never gives the event loop a turn, and says from time to time that it is alive. */
function work(): void {
  for (;;) {
    parentPort?.postMessage(counter)
    spin(200_000_000)
  }
}

work()

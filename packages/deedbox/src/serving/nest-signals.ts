import { endSignals } from '../process-end.ts'

/**
 * Takes the listeners to SIGTERM and SIGINT off that `enableShutdownHooks()` has put on: they close the server at once, with
 * requests under way and others on their way. To other signals Nest listens on. Its method is `protected`, and the same from
 * Nest 8 to 12; where it is missing, its listeners are others of the service.
 * @returns what is to be called when Nest has ended: it has forgotten the listeners that it kept
 */
export function takeNestSignals(app: object): () => void {
  const unsubscribe: unknown = Reflect.get(app, 'unsubscribeFromProcessSignals')
  if (typeof unsubscribe !== 'function') return () => undefined
  const others = process.eventNames().filter(name => /^SIG/.test(String(name)) && !isEndSignal(name))
  const before = others.flatMap(name =>
    process.listeners(name as NodeJS.Signals).map(each => ({ name, each })),
  )
  unsubscribe.call(app)
  const taken = before.filter(({ name, each }) => !process.listeners(name as NodeJS.Signals).includes(each))
  for (const { name, each } of taken) process.on(name, each as () => void)
  return () => {
    for (const { name, each } of taken) process.off(name, each as () => void)
  }
}

function isEndSignal(name: string | symbol): boolean {
  return endSignals.some(each => each === name)
}

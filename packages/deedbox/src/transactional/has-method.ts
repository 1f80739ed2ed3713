/** Whether something has a method of this name: how drivers are told apart without importing any. */
export function hasMethod(thing: unknown, name: string): boolean {
  return (
    ((typeof thing === 'object' && thing !== null) || typeof thing === 'function') &&
    typeof Reflect.get(thing, name) === 'function'
  )
}

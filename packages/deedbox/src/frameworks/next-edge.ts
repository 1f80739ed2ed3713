import type * as next from './next.ts'

/**
 * What `deedbox/next` is in the Edge runtime, for which Next builds `instrumentation.ts` as well: the same names
 * without anything of Node. There is no server to observe, so nothing happens.
 */
export const instrument: typeof next.instrument = () => ({ register() {}, onRequestError() {} })
export const observe: typeof next.observe = () => () => {}
export const health: typeof next.health = () => () => {}
export const onRequestError: typeof next.onRequestError = () => {}
export const nextSkipPaths: typeof next.nextSkipPaths = []
export const instance: typeof next.instance = () => {
  throw new Error('In the Edge runtime there is no instance of deedbox; it observes servers of Node.')
}

import { All, Controller, type Type } from '@nestjs/common'
import type { TrackedInput } from 'deedbox'
import { Tracked } from 'deedbox/nest'

/** What of the suite's tracked routes is called; see ../harness.ts. */
export interface NestTrackedRoute {
  readonly input: TrackedInput | undefined
  work(): Promise<object>
}

/** The controller of one tracked route: `before` has a middleware in front of it, `around` and `above` are decorated. */
export function trackedController(name: string, { input, work }: NestTrackedRoute): Type {
  @Controller(`tracked/${name}`)
  class TrackedController {
    @All('before')
    before(): Promise<object> {
      return work()
    }

    @All('around')
    @Tracked(input)
    async around(): Promise<object> {
      return await work()
    }

    @Tracked(input)
    @All('above')
    above(): Promise<object> {
      return work()
    }
  }
  return TrackedController
}

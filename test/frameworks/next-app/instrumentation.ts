import { instrument, type NextInstrumentation } from 'deedbox/next'

const shop: NextInstrumentation = instrument(
  { service: 'shop' },
  { health: { ownChecks: false, details: 'never', checks: [{ name: 'queue', run: () => [] }] } },
)

// In the conformance suite the instance is the suite's own; see ../next.ts.
export const register: NextInstrumentation['register'] = () => {
  if (!('deedboxSuite' in globalThis)) shop.register()
}
export const onRequestError: NextInstrumentation['onRequestError'] = shop.onRequestError

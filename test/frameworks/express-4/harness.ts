import { expressHarness } from '../express.ts'
import type { FrameworkHarness } from '../harness.ts'
import express from './express.ts'

/** Express 4, without error handlers of the service's own. */
export const express4: FrameworkHarness = expressHarness(express as never, {
  name: 'Express 4',
  passesRejections: true,
})

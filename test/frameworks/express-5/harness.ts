import express from 'express'
import { expressHarness } from '../express.ts'
import type { FrameworkHarness } from '../harness.ts'

/** Express 5, without error handlers of the service's own. */
export const express5: FrameworkHarness = expressHarness(express, {
  name: 'Express 5',
  passesRejections: false,
})

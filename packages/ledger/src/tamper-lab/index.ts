export type { Attack } from './attack.ts'
export { attacks } from './attacks.ts'
export { type Experiment, isAllAsExpected, type Result, runExperiment } from './experiment.ts'
export { reportJson, reportText } from './report.ts'

export { type Finding, Findings } from '@deedbox/tlog'

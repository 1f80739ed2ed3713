export {
  type JsonCheck,
  json,
  type ListBounds,
  list,
  type ParsedOptions,
  parsed,
  url,
} from './composed-settings.ts'
export { describeConfig } from './describe-config.ts'
export {
  type LifecycleLines,
  type LifecycleLog,
  type LifecycleOptions,
  lifecycleLines,
} from './lifecycle-lines.ts'
export { type BytesText, bytes, type DurationText, duration } from './measures.ts'
export {
  flag,
  integer,
  type NumberBounds,
  number,
  oneOf,
  type TextBounds,
  text,
} from './plain-settings.ts'
export {
  type ConfigurationProblem,
  type ConfigurationProblemCode,
  ConfigurationProblems,
} from './problems.ts'
export {
  type ConfigOptions,
  type ConfigProfiles,
  configWarnings,
  profileOf,
  readConfig,
} from './read-config.ts'
export { readConfigOrExit } from './read-config-or-exit.ts'
export {
  type Config,
  type ConfigShape,
  type ConfigValues,
  optional,
  type Setting,
  type SettingOptions,
  Unsuitable,
} from './setting.ts'

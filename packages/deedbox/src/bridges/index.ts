export { type CaptureChannelOptions, captureChannel } from './channel.ts'
export { type CaptureConsoleOptions, type ConsoleMethod, captureConsole } from './console.ts'
export { captureDebuglog } from './debuglog.ts'

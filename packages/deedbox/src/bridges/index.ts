export { type CaptureConsoleOptions, type ConsoleMethod, captureConsole } from './console.ts'

export { type EventPage, type EventQuery, searchEvents } from './query.ts'

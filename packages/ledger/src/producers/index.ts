export {
  type Announcement,
  announcementSchema,
  longestProducerId,
  type ProducerAnnouncement,
  readAnnouncement,
} from './announcement.ts'
export { AnnouncementQueue } from './announcement-queue.ts'
export {
  type ProducerFilters,
  type ProducerPage,
  type ProducerQuery,
  producerPage,
} from './producer-query.ts'
export { newProducer, type ProducerRow, withAnnouncement, withSeen } from './producer-row.ts'
export { type ProducerState, type ProducerView, producerStates } from './producer-view.ts'
export type { Gap } from './seen-numbers.ts'

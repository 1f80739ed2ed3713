export {
  type Bucket,
  type CountRequest,
  countEvents,
  type EventCounts,
  type FacetField,
  facetFields,
  type Interval,
  intervals,
} from './count.ts'
export {
  comparisonsOf,
  type EventFilters,
  eventFilters,
  filterNames,
  filterParameters,
  filtersOf,
} from './filters.ts'
export { Growth } from './growth.ts'
export { type EventPage, type EventQuery, indexRange, searchEvents, type TimeRange } from './query.ts'

export { type ClaimedSpool, claim, orphansIn, producersIn } from './claim.ts'
export { addDeadLetters, type DeadLine, deadBytesIn, deadLettersIn, sift } from './dead-files.ts'
export { type DeadLetter, DeadLetters, deadLetter } from './dead-letters.ts'
export { Spool } from './spool.ts'
export { type OpenedSpool, openSpool } from './spool-cursor.ts'
export { type AdoptedProducer, SpoolHome } from './spool-home.ts'
export { SignWatch, seemsSilent, silentAfter } from './spool-owner.ts'
export {
  defaultSpoolFolder,
  ledgerFile,
  makeProducerFolder,
  type ProducerFolder,
  removeSpool,
} from './spool-place.ts'

import { EventSender } from './event-sender.ts'
import { originalBox } from './original-box.ts'

let sender: EventSender | undefined

/**
 * What the functions without an instance use. It is made when the first of them is called, from `IMTBL_API_KEY`,
 * `IMTBL_URL`, `IMTBL_SERVICE_NAME` and `IMTBL_ENV`. (IF-03)
 * @throws ConfigurationError naming the variable at fault
 */
export function fromEnvironment(): EventSender {
  sender ??= new EventSender(originalBox({}, 'node-service'))
  return sender
}

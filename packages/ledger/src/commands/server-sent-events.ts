/** One message of a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export interface ServerSentEvent {
  event: string
  /** Empty: nothing happened, but the last event id may have moved. */
  data: string
  id: string | undefined
}

/** Takes a stream of server-sent events apart, wherever its bytes were cut. An unfinished message is no message. */
export async function* serverSentEvents(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const decoder = new TextDecoder()
  let rest: string[] = []
  for await (const chunk of bytes) {
    const text = decoder.decode(chunk, { stream: true })
    // Large messages come in many pieces: they are joined once, when their end is there.
    if (!text.includes('\n')) {
      rest.push(text)
      continue
    }
    const messages = (rest.join('') + text).split('\n\n')
    rest = [messages.pop() ?? '']
    for (const message of messages) yield parsed(message)
  }
}

function parsed(message: string): ServerSentEvent {
  let event = 'message'
  let id: string | undefined
  const data: string[] = []
  for (const line of message.split('\n')) {
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') event = value
    else if (field === 'id') id = value
    else if (field === 'data') data.push(value)
  }
  return { event, data: data.join('\n'), id }
}

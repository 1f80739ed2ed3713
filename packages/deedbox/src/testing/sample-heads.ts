import type { LineHead } from '../log/line.ts'

/** The head of a log call in a request. */
export const callHead: LineHead = {
  instant: 1_763_664_542_000_123,
  level: 'WARNING',
  number: 30,
  type: 'app.log',
  logger: undefined,
  message: 'charging',
  source: 'pay.ts:Till.charge:12',
  failure: undefined,
  members: ',"request_id":"r-1"',
}

/** The head of a request's line, with all that such a line can say. */
export const requestHead: LineHead = {
  ...callHead,
  level: 'INFO',
  number: 20,
  type: 'request.summary',
  message: 'log request',
  source: undefined,
  members:
    ',"request_id":"r-1","remote_ip":"[2001:db8::1]:5000","schema":"https","protocol":"2.0","method":"GET"' +
    ',"path_with_query":"/orders/7?full=1","status_code":200,"response_length":512,"elapsed":0.001234' +
    ',"referer":"https://shop.example/","user_agent":"curl/8","ttfb":0.001000,"user":"u_1","route":"/orders/:id"' +
    ',"remote_address_chain":"2001:db8::1, 10.0.0.9","trace_id":"0af7651916cd43dd8448eb211c80319c"' +
    ',"span_id":"b7ad6b7169203331"',
}

/** The head of the line of a request that a client gave up, with as little as such a line can say. */
export const bareHead: LineHead = {
  ...requestHead,
  members:
    ',"request_id":"r-2","remote_ip":"unknown","schema":"http","protocol":"1.1","method":"PURGE"' +
    ',"path_with_query":"*","status_code":499,"response_length":0,"elapsed":1.000000,"referer":"-"' +
    ',"user_agent":"-","aborted":true',
}
